// The host of the console frontend in its tests. It keeps log lines and texts of errors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernal::stdin_repl {

struct LogLine {
  std::uint32_t level = 0;  // VERNAL_LOG_*
  std::string text;
};

/// The log lines of all threads since the last call.
std::vector<LogLine> take_log();

/// The last error that the calling thread stored; empty if there is none.
std::string stored_error();

}  // namespace vernal::stdin_repl
