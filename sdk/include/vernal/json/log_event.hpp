// An event of the log: a line with named values, for people and for programs.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "vernal/json/json_text.hpp"

namespace vernal {

/// Writes the text that vernal_host_api.log takes for an event:
///
///   host.log(VERNAL_LOG_INFO, "http",
///            LogEvent("request").add("id", id).add("status", std::uint64_t{200}).text());
///
/// A name comes once and is not "event", "time", "level" or "component".
class LogEvent {
 public:
  explicit LogEvent(std::string_view event) : text_("{\"event\":" + json_text(event)) {}

  LogEvent& add(std::string_view name, std::string_view value) {
    return add_json(name, json_text(value));
  }
  LogEvent& add(std::string_view name, const char* value) {
    return add(name, std::string_view(value));
  }
  LogEvent& add(std::string_view name, std::same_as<bool> auto value) {
    return add_json(name, value ? "true" : "false");
  }
  LogEvent& add(std::string_view name, std::uint64_t value) {
    return add_json(name, std::to_string(value));
  }
  /// What is no number in JSON (infinite, not a number) becomes null.
  LogEvent& add(std::string_view name, double value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    return add_json(name, std::isfinite(value) ? std::string_view(digits, end) : "null");
  }
  /// `json` is a JSON value already.
  LogEvent& add_json(std::string_view name, std::string_view json) {
    text_ += ',';
    text_ += json_text(name);
    text_ += ':';
    text_ += json;
    return *this;
  }

  std::string text() const { return text_ + '}'; }

 private:
  std::string text_;
};

}  // namespace vernal
