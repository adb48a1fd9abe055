#include "openai_http/protocol/json_body.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <new>
#include <utility>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/exact_json.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 128;
constexpr std::size_t kFreeMemory = std::size_t{64} << 20;
constexpr std::size_t kMemoryPerByte = 3;

/// The limit is what is missing, and not memory.
class LimitReached final : public std::bad_alloc {};

[[noreturn]] void refuse_json(std::string_view what) {
  throw RequestRefused(
      http_refusal("invalid_json", fmt::format("The request body is not valid JSON: {}.", what)));
}

json::value parse(std::string_view text, const json::storage_ptr& memory) {
  ParsedJson parsed = parse_exact_json(text, kMaxDepth, memory);
  // JSON has no infinity, but 1e999 reads as one.
  if (parsed.error == json::error::exponent_overflow) {
    refuse_json("a number is too large to be represented");
  }
  if (parsed.error) {
    refuse_json(
        fmt::format("{} at byte {} of {}", parsed.error.message(), parsed.num_bytes, text.size()));
  }
  return std::move(parsed.value);
}

json::value parse_object(std::string_view text, const json::storage_ptr& memory) {
  try {
    json::value value = parse(text, memory);
    if (!value.is_object())
      refuse_json(fmt::format("expected an object, found {}", describe(value)));
    return value;
  } catch (const LimitReached&) {
    throw RequestRefused(http_refusal("request_too_large",
                                      "The request body holds too many JSON values to be taken "
                                      "apart within this server's limits."));
  }
}

}  // namespace

// The alignment is ignored. Nothing in a JSON value needs more than the usual one, and the library
// frees memory with another alignment than it allocated it with.
void* JsonBody::BoundedMemory::do_allocate(std::size_t size, std::size_t) {
  if (size > left_) throw LimitReached();
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
      if (is_written_number(value)) return std::string(shortened(written_text(value)));
      const json::string& text = value.get_string();
      return fmt::format("\"{}\"", shortened(std::string_view(text.data(), text.size())));
    }
    default:
      return to_text(value);
  }
}

}  // namespace vernal::openai_http
