#include "observe/log_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>
#include <system_error>

namespace vernal {
namespace {

using boost::json::object;
using boost::json::value;

// A text with this beginning may be an event; nothing else is parsed.
constexpr std::string_view kEventBegin = R"({"event":)";
constexpr std::array<std::string_view, 3> kOwnMembers = {"time", "level", "component"};

std::optional<object> parse_event(std::string_view text) {
  if (!text.starts_with(kEventBegin)) return std::nullopt;
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;  // mended when the line is written
  boost::system::error_code error;
  value parsed = boost::json::parse(text, error, {}, options);
  if (error || !parsed.is_object() || !parsed.as_object().at("event").is_string()) {
    return std::nullopt;
  }
  return std::move(parsed.as_object());
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

/// Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) >= 0xa0) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return size;
}

void append_json_string(std::string& line, std::string_view text) {
  line += '"';
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    const char c = text.front();
    if (size == 0) {
      line += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      line += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      line += c == '\n' ? "\\n" : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      line += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  line += '"';
}

/// Numbers stand in plain decimals where they are short so, as people write them.
void append_json(std::string& line, const value& member) {
  if (member.is_string()) {
    append_json_string(line, member.as_string());
  } else if (member.is_double()) {
    line += fmt::format("{}", member.as_double());
  } else if (member.is_array()) {
    line += '[';
    std::string_view separator;
    for (const value& element : member.as_array()) {
      line += separator;
      append_json(line, element);
      separator = ",";
    }
    line += ']';
  } else if (member.is_object()) {
    line += '{';
    std::string_view separator;
    for (const auto& [key, element] : member.as_object()) {
      line += separator;
      append_json_string(line, key);
      line += ':';
      append_json(line, element);
      separator = ",";
    }
    line += '}';
  } else {
    line += boost::json::serialize(member);  // an integer, true, false or null
  }
}

bool is_plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

bool is_own(std::string_view key) {
  return std::ranges::find(kOwnMembers, key) != kOwnMembers.end();
}

}  // namespace

std::string text_line(std::string_view component, std::string_view text) {
  std::string line;
  line.reserve(component.size() + text.size() + 2);
  append_printable(line, component);
  line += ": ";
  const std::optional<object> event = parse_event(text);
  if (!event) {
    append_printable(line, text);
    return line;
  }
  append_printable(line, event->at("event").as_string());
  for (const auto& [key, member] : *event) {
    if (key == "event" || is_own(key) || member.is_null()) continue;
    line += ' ';
    append_printable(line, key);
    line += '=';
    if (member.is_string() && is_plain_word(member.as_string())) {
      line += member.as_string();
    } else {
      append_json(line, member);
    }
  }
  return line;
}

std::string json_members(std::string_view component, std::string_view text) {
  std::string line = "\"component\":";
  append_json_string(line, component);
  const std::optional<object> event = parse_event(text);
  if (!event) {
    line += ",\"message\":";
    append_json_string(line, text);
    return line;
  }
  for (const auto& [key, member] : *event) {
    if (is_own(key)) continue;
    line += ',';
    append_json_string(line, key);
    line += ':';
    append_json(line, member);
  }
  return line;
}

}  // namespace vernal
