// A console service that keeps what is written.
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Written by the console's thread; read it after `finished` or when that thread has ended.
class FakeConsole {
 public:
  ConsoleClient client();

  bool is_input_terminal = false;
  bool is_output_terminal = false;
  std::int32_t input = -1;  // descriptor
  std::int32_t write_status = VERNAL_OK;
  std::string written;
  /// Set by finished(): the error stored with the host at that time, empty for success.
  std::promise<std::string> finished;
};

}  // namespace vernal::stdin_repl
