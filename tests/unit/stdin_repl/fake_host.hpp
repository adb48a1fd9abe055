// The host of the console frontend in its tests: keeps log lines and error texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernal::stdin_repl {

struct LogLine {
  std::uint32_t level = 0;  // VERNAL_LOG_*
  std::string text;
};

/// Log lines since the last call, of all threads.
std::vector<LogLine> take_log();

/// The error stored last by the calling thread, empty if there is none.
std::string stored_error();

}  // namespace vernal::stdin_repl
