#include "observe/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <string>

namespace vernal {
namespace {

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
  return spdlog::level::err;  // an unknown number from a plugin: rather too loud than lost
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
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler(
      [](const std::string&) {});  // a log that fails must not write elsewhere
  return logger;
}

void append_printable(std::string& line, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\n    ";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      line += '?';
    } else {
      line += c;
    }
  }
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

Log::Log(LogLevel level)
    : logger_(make_logger(level, std::make_shared<spdlog::sinks::stderr_color_sink_mt>())) {}

Log::Log(LogLevel level, std::ostream& out)
    : logger_(make_logger(level, std::make_shared<spdlog::sinks::ostream_sink_mt>(out))) {}

Log::~Log() = default;

void Log::set_level(LogLevel level) noexcept { logger_->set_level(to_spdlog(level)); }

LogLevel Log::level() const noexcept { return from_spdlog(logger_->level()); }

bool Log::writes(LogLevel level) const noexcept {
  return level != LogLevel::kOff && logger_->should_log(to_spdlog(level));
}

void Log::write(LogLevel level, std::string_view component, std::string_view text) noexcept {
  if (!writes(level)) return;
  try {
    std::string line;
    line.reserve(component.size() + text.size() + 2);
    append_printable(line, component);
    line += ": ";
    append_printable(line, text);
    logger_->log(to_spdlog(level), spdlog::string_view_t(line));
  } catch (...) {
    return;  // out of memory: the line is lost
  }
}

}  // namespace vernal
