#include "openai_http/protocol/json_fields.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/exact_json.hpp"
#include "openai_http/protocol/json_body.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// Up to this magnitude a double holds every integer exactly.
constexpr double kExactInteger = 9007199254740992.0;

std::optional<double> as_double(const json::value& value) {
  if (const auto* const number = value.if_double()) return *number;
  if (const auto* const number = value.if_int64()) return static_cast<double>(*number);
  if (const auto* const number = value.if_uint64()) return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const json::value& value) {
  if (const auto* const number = value.if_int64()) return *number;
  const auto* const number = value.if_double();
  if (number == nullptr || std::trunc(*number) != *number) return std::nullopt;
  if (std::fabs(*number) > kExactInteger) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::string expected_number(std::string_view kind, Range range) {
  if (std::isinf(range.low) && std::isinf(range.high)) return std::string(kind);
  return fmt::format("{} from {} to {}", kind, range.low, range.high);
}

}  // namespace

const json::value* JsonFields::find(std::string_view key) const {
  const json::value* const value = object_.if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::vector<std::string_view> JsonFields::names() const {
  std::vector<std::string_view> out;
  out.reserve(object_.size());
  for (const auto& member : object_) out.emplace_back(member.key().data(), member.key().size());
  return out;
}

std::optional<bool> JsonFields::boolean(std::string_view key) const {
  const json::value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) refuse(key, "true or false");
  return value->get_bool();
}

std::optional<double> JsonFields::number(std::string_view key, Range range) const {
  const json::value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = as_double(*value);
  if (!number || *number < range.low || *number > range.high) {
    refuse(key, expected_number("a number", range));
  }
  return number;
}

std::optional<std::int64_t> JsonFields::integer(std::string_view key, Range range) const {
  const json::value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = as_integer(*value);
  if (!number || static_cast<double>(*number) < range.low ||
      static_cast<double>(*number) > range.high) {
    refuse(key, expected_number("an integer", range));
  }
  return number;
}

std::optional<std::string_view> JsonFields::string(std::string_view key) const {
  const json::value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string() || is_written_number(*value)) refuse(key, "a string");
  return text_of(value->get_string());
}

const json::array* JsonFields::array(std::string_view key) const {
  const json::value* const value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) refuse(key, "an array");
  return &value->get_array();
}

const json::object* JsonFields::object(std::string_view key) const {
  const json::value* const value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) refuse(key, "an object");
  return &value->get_object();
}

std::string_view JsonFields::required_string(std::string_view key) const {
  const auto text = string(key);
  if (!text) refuse(key, "a string");
  return *text;
}

const json::array& JsonFields::required_array(std::string_view key) const {
  const json::array* const elements = array(key);
  if (elements == nullptr) refuse(key, "an array");
  return *elements;
}

std::string JsonFields::path_of(std::string_view key) const {
  return fmt::format("{}{}", path_, key);
}

void JsonFields::refuse(std::string_view key, std::string_view expected) const {
  const json::value* const value = find(key);
  const std::string path = path_of(key);
  const std::string found = value == nullptr ? "nothing" : describe(*value);
  throw RequestRefused(invalid_value(
      path, fmt::format("Invalid value for '{}': expected {}, found {}.", path, expected, found)));
}

std::string_view text_of(const json::string& string) noexcept {
  return {string.data(), string.size()};
}

std::string element_path(std::string_view array, std::size_t index) {
  return fmt::format("{}[{}].", array, index);
}

}  // namespace vernal::openai_http
