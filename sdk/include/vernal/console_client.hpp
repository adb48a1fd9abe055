// The core's console service: the only way to the terminal. One frontend may use it.
#pragma once

#include <cstdint>
#include <string_view>

#include "vernal/abi/frontend.h"
#include "vernal/host.hpp"

namespace vernal {

/// Comfort over vernal_console_api. Borrows the service; copies are cheap.
///   Thread   frontend threads, except for the constructor
///   Errors   members throw Error with the status that the core answers
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
  /// Errors   NOT_FOUND: the host offers no console
  ConsoleClient() {
    void* object = nullptr;
    const auto* table = plugin_host().service<vernal_console_api>(VERNAL_SERVICE_CONSOLE, &object);
    api_ = adopt_table(table, "vernal_console_api");
    console_ = static_cast<vernal_console*>(object);
  }
  ConsoleClient(const vernal_console_api* api, vernal_console* console)
      : api_(adopt_table(api, "vernal_console_api")), console_(console) {}

  /// Says which of standard input and output are terminals.
  Terminals terminals() const {
    std::uint32_t input = 0;
    std::uint32_t output = 0;
    plugin_host().check(api_.is_terminal(console_, &input, &output), "console");
    return {input != 0, output != 0};
  }
  /// File descriptors for a line editor. They stay the core's: do not close them.
  Descriptors descriptors() const {
    Descriptors out;
    plugin_host().check(api_.descriptors(console_, &out.input, &out.output), "console");
    return out;
  }
  /// Writes all bytes and flushes. Blocks.
  /// Errors   UNAVAILABLE: the output cannot be written
  void write(std::string_view text) const {
    plugin_host().check(api_.write(console_, to_str(text)), "console");
  }
  /// Sends interrupts (Ctrl-C) to `callback`, on a thread of the core, instead of ending the
  /// process. Null restores that they end it. When on_interrupt returns, the callback set before
  /// does not run any more.
  void on_interrupt(void (*callback)(void* user), void* user) const {
    plugin_host().check(api_.on_interrupt(console_, callback, user), "console");
  }
  /// Says that the conversation has ended. The process then ends if no other frontend runs. Its
  /// exit status is 0 if `status` is VERNAL_OK, else 1.
  void finished(std::int32_t status) const {
    plugin_host().check(api_.finished(console_, status), "console");
  }

 private:
  vernal_console_api api_{};
  vernal_console* console_ = nullptr;
};

}  // namespace vernal
