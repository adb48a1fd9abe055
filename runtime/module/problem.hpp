// The problems of a module. They are collected while it is built or verified, and reported
// together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// One thing that is wrong.
struct Problem {
  std::string path;  ///< of the node, "blk.3.attn_q"; else "weight \"x\"" or "module"
  std::string text;  ///< what was expected and what was found
};

/// The problems, one on each line: "  path: text". After `most` lines only the number of the others
/// follows.
std::string list_problems(const std::vector<Problem>& problems, std::size_t most = 50);

}  // namespace vernal
