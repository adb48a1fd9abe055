#include "openai_http/protocol/json_text.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "openai_http/protocol/exact_json.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value);

/// Leaves strings to the library, which knows what to escape.
void append_string(std::string& out, json::string_view text) {
  json::serializer serializer;
  serializer.reset(text);
  char buffer[4096];
  while (!serializer.done()) {
    const json::string_view piece = serializer.read(buffer);
    out.append(piece.data(), piece.size());
  }
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  const std::string digits = fmt::format("{}", number);
  out += digits;
  if (digits.find_first_of(".e") == std::string::npos) out += ".0";
}

void append_array(std::string& out, const json::array& array) {
  out += '[';
  bool is_first = true;
  for (const json::value& element : array) {
    if (!is_first) out += ',';
    is_first = false;
    append(out, element);
  }
  out += ']';
}

void append_object(std::string& out, const json::object& object) {
  out += '{';
  bool is_first = true;
  for (const auto& member : object) {
    if (!is_first) out += ',';
    is_first = false;
    append_string(out, member.key());
    out += ':';
    append(out, member.value());
  }
  out += '}';
}

void append(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case json::kind::double_:
      append_number(out, value.get_double());
      break;
    case json::kind::string:
      if (is_written_number(value)) {
        out += written_text(value);
        break;
      }
      append_string(out, value.get_string());
      break;
    case json::kind::array:
      append_array(out, value.get_array());
      break;
    case json::kind::object:
      append_object(out, value.get_object());
      break;
  }
}

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string to_text(const json::object& object) {
  std::string out;
  append_object(out, object);
  return out;
}

}  // namespace vernal::openai_http
