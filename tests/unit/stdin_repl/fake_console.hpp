// A console service that keeps the written text.
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// The console's thread writes to it. Read it after `finished` is set, or when that thread has
/// ended.
class FakeConsole {
 public:
  ConsoleClient client();

  bool is_input_terminal = false;
  bool is_output_terminal = false;
  std::int32_t input = -1;  // descriptor
  std::int32_t write_status = VERNAL_OK;
  std::string written;
  /// Set by finished() to the error that is stored with the host then; empty for success.
  std::promise<std::string> finished;
};

}  // namespace vernal::stdin_repl
