#include "openai_http/protocol/json_body.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <new>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 128;
constexpr std::size_t kFreeMemory = std::size_t{64} << 20;
constexpr std::size_t kMemoryPerByte = 3;

[[noreturn]] void refuse_json(std::string_view what) {
  throw RequestRefused(
      http_refusal("invalid_json", fmt::format("The request body is not valid JSON: {}.", what)));
}

/// Refuses numbers such as 1e999, which the parser reads as infinity. The parser bounds the depth
/// of the recursion.
void check_numbers(const json::value& value) {
  if (const auto* const number = value.if_double()) {
    if (!std::isfinite(*number)) refuse_json("a number is too large to be represented");
  } else if (const auto* const array = value.if_array()) {
    for (const json::value& element : *array) check_numbers(element);
  } else if (const auto* const object = value.if_object()) {
    for (const auto& member : *object) check_numbers(member.value());
  }
}

json::value parse(std::string_view text, const json::storage_ptr& memory) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::stream_parser parser(memory, options);
  parser.reset(memory);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) refuse_json(fmt::format("{} at byte {} of {}", error.message(), used, text.size()));
  return parser.release();
}

json::value parse_object(std::string_view text, const json::storage_ptr& memory) {
  try {
    json::value value = parse(text, memory);
    if (!value.is_object())
      refuse_json(fmt::format("expected an object, found {}", describe(value)));
    check_numbers(value);
    return value;
  } catch (const std::bad_alloc&) {
    throw RequestRefused(http_refusal("request_too_large",
                                      "The request body holds too many JSON values to be taken "
                                      "apart within this server's limits."));
  }
}

}  // namespace

// The alignment is ignored. Nothing in a JSON value needs more than the usual one, and the library
// frees memory with another alignment than it allocated it with.
void* JsonBody::BoundedMemory::do_allocate(std::size_t size, std::size_t) {
  if (size > left_) throw std::bad_alloc();
  void* const memory = ::operator new(size);
  left_ -= size;
  return memory;
}

void JsonBody::BoundedMemory::do_deallocate(void* memory, std::size_t size, std::size_t) {
  ::operator delete(memory);
  left_ += size;
}

JsonBody::JsonBody(std::string_view text)
    : memory_(kFreeMemory + kMemoryPerByte * text.size()), value_(parse_object(text, &memory_)) {}

std::string describe(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::array:
      return fmt::format("an array of {} elements", value.get_array().size());
    case json::kind::object:
      return "an object";
    case json::kind::string: {
      const json::string& text = value.get_string();
      return fmt::format("\"{}\"", shortened(std::string_view(text.data(), text.size())));
    }
    default:
      return to_text(value);
  }
}

}  // namespace vernal::openai_http
