// The log: one line for each thing that happens, on standard error, for operators.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <mutex>
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

enum class LogFormat : std::uint8_t {
  kText,  ///< 2026-01-31 12:00:00.123 warning scheduler: text
  kJson,  ///< {"time":"2026-01-31T12:00:00.123+00:00","level":"warning","component":...}
};

/// "text", "json", or nothing for another text.
std::optional<LogFormat> parse_log_format(std::string_view name) noexcept;

/// Writes lines in one of two forms (log_line.hpp has the details). In both, a text from outside
/// can neither forge a line nor steer a terminal. Any thread. Nothing here throws; a line that
/// cannot be written is lost.
class Log {
 public:
  /// To standard error, coloured if that is a terminal.
  explicit Log(LogLevel level);
  /// To `out`, without colour; `out` outlives the log.
  ///   is_terminal   whether it understands a line that is written over and over
  Log(LogLevel level, std::ostream& out, bool is_terminal = false);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(LogLevel level) noexcept;
  /// Before other threads write.
  void set_format(LogFormat format) noexcept;
  LogLevel level() const noexcept;
  /// Whether a line of that level is written: to skip formatting.
  bool writes(LogLevel level) const noexcept;

  /// One line. `component` says which part of the program speaks: "http", "engine main". A text
  /// that is an event, `{"event":"request",...}`, is written as fields (vernal/abi/host.h, `log`).
  void write(LogLevel level, std::string_view component, std::string_view text) noexcept;

  /// Whether show_progress() shows anything: on a terminal, in the form for people.
  bool shows_progress() const noexcept { return is_terminal_ && format_ == LogFormat::kText; }
  /// Replaces the last line of the terminal by `line`, which stays there until the next call. A line
  /// of the log takes its place.
  void show_progress(std::string_view line) noexcept;
  void clear_progress() noexcept;

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

  void clear_drawn_progress();

  std::shared_ptr<spdlog::logger> logger_;  // shared because spdlog's own interface asks for it
  std::ostream& out_;                       // the logger's, for the line of progress
  const bool is_terminal_;
  LogFormat format_ = LogFormat::kText;
  std::mutex mutex_;  // guards is_progress_drawn_, and keeps the two kinds of lines apart
  bool is_progress_drawn_ = false;
};

}  // namespace vernal
