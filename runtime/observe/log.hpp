// The log: one line per event, on standard error, for operators.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "vernal/abi/host.h"

namespace spdlog {
class logger;
}

namespace vernal {

/// Values are those of the plugin interface.
enum class LogLevel : std::uint32_t {
  kTrace = VERNAL_LOG_TRACE,
  kDebug = VERNAL_LOG_DEBUG,
  kInfo = VERNAL_LOG_INFO,
  kWarning = VERNAL_LOG_WARNING,
  kError = VERNAL_LOG_ERROR,
  kOff = VERNAL_LOG_OFF,
};

/// "trace", "debug", "info", "warning", "error", "off", or nothing for another text.
std::optional<LogLevel> parse_log_level(std::string_view name) noexcept;

/// Writes lines "2026-01-31 12:00:00.123 warning scheduler: text". Control characters in the text
/// are replaced, except line breaks, whose lines are indented: nothing a client sends can forge a
/// line or steer a terminal. Any thread. Nothing here throws; a line that cannot be written is
/// lost.
class Log {
 public:
  /// To standard error, coloured if that is a terminal.
  explicit Log(LogLevel level);
  /// To `out`, without colour; `out` outlives the log.
  Log(LogLevel level, std::ostream& out);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(LogLevel level) noexcept;
  LogLevel level() const noexcept;
  /// Whether a line of that level is written: to skip formatting.
  bool writes(LogLevel level) const noexcept;

  /// One line. `component` says which part of the program speaks: "http", "engine main".
  void write(LogLevel level, std::string_view component, std::string_view text) noexcept;

  template <class... Args>
  void debug(std::string_view component, fmt::format_string<Args...> text,
             Args&&... args) noexcept {
    format(LogLevel::kDebug, component, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(std::string_view component, fmt::format_string<Args...> text, Args&&... args) noexcept {
    format(LogLevel::kInfo, component, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(std::string_view component, fmt::format_string<Args...> text,
               Args&&... args) noexcept {
    format(LogLevel::kWarning, component, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(std::string_view component, fmt::format_string<Args...> text,
             Args&&... args) noexcept {
    format(LogLevel::kError, component, text, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void format(LogLevel level, std::string_view component, fmt::format_string<Args...> text,
              Args&&... args) noexcept {
    if (!writes(level)) return;
    try {
      write(level, component, fmt::format(text, std::forward<Args>(args)...));
    } catch (...) {
      write(level, component, "(a log line could not be formatted)");
    }
  }

  std::shared_ptr<spdlog::logger> logger_;  // shared because spdlog's own interface asks for it
};

}  // namespace vernal
