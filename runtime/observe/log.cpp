#include "observe/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>

#include "observe/log_line.hpp"

namespace vernal {
namespace {

// Time and level of a line; the text follows.
constexpr const char* kTextPattern = "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";
// Moves to the first column and clears the line.
constexpr std::string_view kClearLine = "\r\033[K";

constexpr std::array<std::string_view, 6> kLevelNames = {"trace",   "debug", "info",
                                                         "warning", "error", "off"};

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::err;  // an unknown number from a plugin is shown rather than lost
}

LogLevel from_spdlog(spdlog::level::level_enum level) noexcept {
  for (const LogLevel candidate : {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo,
                                   LogLevel::kWarning, LogLevel::kError}) {
    if (to_spdlog(candidate) == level) return candidate;
  }
  return LogLevel::kOff;
}

std::shared_ptr<spdlog::logger> make_logger(LogLevel level, spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("vernal", std::move(sink));
  logger->set_pattern(kTextPattern);
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler(
      [](const std::string&) {});  // spdlog would write its own failures to the terminal
  return logger;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view name) noexcept {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return std::nullopt;
}

Log::Log(LogLevel level)
    : logger_(make_logger(level, std::make_shared<spdlog::sinks::stderr_color_sink_mt>())),
      out_(std::cerr),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Log::Log(LogLevel level, std::ostream& out, bool is_terminal)
    : logger_(make_logger(level, std::make_shared<spdlog::sinks::ostream_sink_mt>(out))),
      out_(out),
      is_terminal_(is_terminal) {}

Log::~Log() = default;

void Log::set_level(LogLevel level) noexcept { logger_->set_level(to_spdlog(level)); }

LogLevel Log::level() const noexcept { return from_spdlog(logger_->level()); }

bool Log::writes(LogLevel level) const noexcept {
  return level != LogLevel::kOff && logger_->should_log(to_spdlog(level));
}

void Log::set_format(LogFormat format) noexcept {
  format_ = format;
  try {
    logger_->set_pattern(format == LogFormat::kJson ? kJsonPattern : kTextPattern);
  } catch (...) {
    return;  // out of memory: the lines keep the form they had
  }
}

void Log::write(LogLevel level, std::string_view component, std::string_view text) noexcept {
  if (!writes(level)) return;
  try {
    const std::string line =
        format_ == LogFormat::kJson ? json_members(component, text) : text_line(component, text);
    const std::lock_guard lock(mutex_);
    clear_drawn_progress();
    logger_->log(to_spdlog(level), spdlog::string_view_t(line));
  } catch (...) {
    return;  // out of memory: the line is lost
  }
}

void Log::show_progress(std::string_view line) noexcept {
  if (!shows_progress()) return;
  try {
    const std::lock_guard lock(mutex_);
    out_ << kClearLine << line << std::flush;
    is_progress_drawn_ = true;
  } catch (...) {
    return;
  }
}

void Log::clear_progress() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    clear_drawn_progress();
  } catch (...) {
    return;
  }
}

void Log::clear_drawn_progress() {
  if (!is_progress_drawn_) return;
  out_ << kClearLine << std::flush;
  is_progress_drawn_ = false;
}

}  // namespace vernal
