// Problems of a module: collected while it is built or verified, reported together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// One thing that is wrong.
struct Problem {
  std::string path;  ///< of the node, "blk.3.attn_q", or what it concerns: "weight \"x\"", "module"
  std::string text;  ///< what was expected and what was found
};

/// All problems, one a line, "  path: text"; after `most` lines only the number of the others.
std::string list_problems(const std::vector<Problem>& problems, std::size_t most = 50);

}  // namespace vernal
