// The core's console service: the only way to the terminal, granted to one frontend.
#pragma once

#include <cstdint>
#include <string_view>

#include "vernal/abi/frontend.h"
#include "vernal/host.hpp"

namespace vernal {

/// Frontend thread. Members throw Error if the core refuses: UNAVAILABLE when another frontend has
/// the console.
class ConsoleClient {
 public:
  struct Terminals {
    bool input = false;
    bool output = false;
  };
  struct Descriptors {
    std::int32_t input = -1;
    std::int32_t output = -1;
  };

  /// The service of this plugin's host. Control thread.
  ConsoleClient() {
    void* object = nullptr;
    const auto* table = plugin_host().service<vernal_console_api>(VERNAL_SERVICE_CONSOLE, &object);
    api_ = adopt_table(table, "vernal_console_api");
    console_ = static_cast<vernal_console*>(object);
  }
  ConsoleClient(const vernal_console_api* api, vernal_console* console)
      : api_(adopt_table(api, "vernal_console_api")), console_(console) {}

  /// Which of standard input and output are terminals.
  Terminals terminals() const {
    std::uint32_t input = 0;
    std::uint32_t output = 0;
    plugin_host().check(api_.is_terminal(console_, &input, &output), "console");
    return {input != 0, output != 0};
  }
  /// File descriptors, borrowed, for a line editor.
  Descriptors descriptors() const {
    Descriptors out;
    plugin_host().check(api_.descriptors(console_, &out.input, &out.output), "console");
    return out;
  }
  /// Writes all bytes and flushes. Blocks.
  void write(std::string_view text) const {
    plugin_host().check(api_.write(console_, to_str(text)), "console");
  }
  /// Interrupts go to `callback`, on a core thread, instead of ending the process; null gives them
  /// back. When it returns, the callback set before does not run any more.
  void on_interrupt(void (*callback)(void* user), void* user) const {
    plugin_host().check(api_.on_interrupt(console_, callback, user), "console");
  }
  /// The conversation has ended with `status`: the process ends if no other frontend runs, with
  /// exit status 0 for VERNAL_OK.
  void finished(std::int32_t status) const {
    plugin_host().check(api_.finished(console_, status), "console");
  }

 private:
  vernal_console_api api_{};
  vernal_console* console_ = nullptr;
};

}  // namespace vernal
