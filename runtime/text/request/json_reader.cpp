#include "text/request/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/error.hpp>
#include <boost/json/memory_resource.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cmath>
#include <new>
#include <utility>

#include "text/exact_json.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// Requests are mostly text, which takes what it is long. Small values take up to 16 bytes for each
// byte that they are written with: a long request of nothing else is refused.
constexpr std::size_t kMemoryPerByte = 8;
constexpr std::size_t kLeastMemory = std::size_t{1} << 20U;
// Integers up to here are exact as doubles.
constexpr double kLargestExactInteger = 9007199254740992.0;

// The limit is what is missing, and not memory.
class LimitReached final : public std::bad_alloc {};

// Ordinary memory up to a limit. All of it is aligned for anything: the library may name another
// alignment when it gives memory back than when it took it.
class BoundedMemory final : public json::memory_resource {
 public:
  explicit BoundedMemory(std::size_t limit) noexcept : remaining_(limit) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes > remaining_) {
      throw LimitReached();
    }
    void* memory = ::operator new(bytes);
    remaining_ -= bytes;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) override {
    ::operator delete(memory);
    remaining_ += bytes;
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t remaining_;
};

RequestError invalid_json(const std::string& message) { return {"invalid_json", {}, message}; }

RequestError too_large(const std::string& message) { return {"request_too_large", {}, message}; }

// How messages call a field. The output budget has words of its own, because clients take
// "max_tokens" in an error for a prompt that is too long.
std::string label(const std::string& path) {
  if (path.empty()) {
    return "the request document";
  }
  return path == "max_tokens" ? std::string("the output budget") : fmt::format("'{}'", path);
}

RequestError wrong_type(const std::string& path, std::string_view expected,
                        const json::value& found) {
  return invalid_value(path, fmt::format("Invalid value for {}: expected {}, found {}.",
                                         label(path), expected, describe(found)));
}

// The beginning of a key, cut between characters.
std::string_view shorten(std::string_view key) {
  constexpr std::size_t kMaxShown = 64;
  if (key.size() <= kMaxShown) {
    return key;
  }
  std::size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return key.substr(0, end);
}

std::optional<std::int64_t> to_integer(const json::value& value) {
  if (const std::int64_t* integer = value.if_int64()) {
    return *integer;
  }
  const std::optional<double> number = number_of(value);
  if (number && std::abs(*number) <= kLargestExactInteger && std::trunc(*number) == *number) {
    return static_cast<std::int64_t>(*number);
  }
  return std::nullopt;
}

}  // namespace

json::value parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw too_large(fmt::format("The request has {} bytes; at most {} are accepted.", text.size(),
                                limits.max_bytes));
  }
  const auto memory =
      json::make_shared_resource<BoundedMemory>(kLeastMemory + kMemoryPerByte * text.size());
  json::error_code error;
  json::value value;
  try {
    value = parse_exact_json(text, limits.max_depth, memory, error);
  } catch (const LimitReached&) {
    throw too_large("The request has too many values to be read.");
  }
  if (error == json::error::exponent_overflow) {
    throw invalid_json("The request holds a number that is too large for a double.");
  }
  if (error) {
    throw invalid_json(fmt::format("The request is not valid JSON: {}.", error.message()));
  }
  return value;
}

std::optional<double> number_of(const json::value& value) {
  if (is_written_number(value)) {
    return double_of(written_text(value));
  }
  return value.is_number() ? std::optional(value.to_number<double>()) : std::nullopt;
}

std::string describe(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::int64:
      return fmt::format("the number {}", value.get_int64());
    case json::kind::uint64:
      return fmt::format("the number {}", value.get_uint64());
    case json::kind::double_:
      return fmt::format("the number {}", value.get_double());
    case json::kind::string:
      if (is_written_number(value)) {
        return fmt::format("the number {}", shorten(written_text(value)));
      }
      return value.get_string().empty() ? "an empty string" : "a string";
    case json::kind::array:
      return value.get_array().empty() ? "an empty array" : "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

std::string read_string(const json::value& value, const std::string& path, std::size_t max_bytes) {
  const json::string* text = value.if_string();
  if (text == nullptr || is_written_number(value)) {
    throw wrong_type(path, "a string", value);
  }
  if (text->size() > max_bytes) {
    throw invalid_value(path, fmt::format("Invalid value for {}: a string of {} bytes; at most {} "
                                          "are accepted.",
                                          label(path), text->size(), max_bytes));
  }
  return std::string(text->data(), text->size());
}

ObjectReader::ObjectReader(const json::value& value, std::string path)
    : object_(value.is_object() ? value.get_object() : throw wrong_type(path, "an object", value)),
      path_(std::move(path)) {}

const json::value* ObjectReader::find(std::string_view key) {
  known_.push_back(key);
  const json::value* value = object_.if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value& ObjectReader::require(std::string_view key) {
  if (const json::value* value = find(key)) {
    return *value;
  }
  throw invalid_value(
      path_of(key), fmt::format("Missing required field {} in the request.", label(path_of(key))));
}

std::optional<std::string> ObjectReader::find_string(std::string_view key, std::size_t max_bytes) {
  const json::value* value = find(key);
  return value == nullptr ? std::nullopt
                          : std::optional(read_string(*value, path_of(key), max_bytes));
}

std::optional<bool> ObjectReader::find_bool(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_bool()) {
    throw wrong_type(path_of(key), "true or false", *value);
  }
  return value->get_bool();
}

std::optional<double> ObjectReader::find_number(std::string_view key, double min, double max) {
  const json::value* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const double number = number_of(*value).value_or(NAN);
  if (!(number >= min && number <= max)) {
    throw wrong_type(path_of(key), fmt::format("a number from {} to {}", min, max), *value);
  }
  return number;
}

std::optional<std::int64_t> ObjectReader::find_integer(std::string_view key, std::int64_t min,
                                                       std::int64_t max) {
  const json::value* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const std::optional<std::int64_t> integer = to_integer(*value);
  if (!integer || *integer < min || *integer > max) {
    const bool has_bound = max != INT64_MAX;
    throw wrong_type(path_of(key),
                     has_bound ? fmt::format("an integer from {} to {}", min, max)
                               : fmt::format("an integer of at least {}", min),
                     *value);
  }
  return integer;
}

const json::array* ObjectReader::find_array(std::string_view key) {
  const json::value* value = find(key);
  if (value != nullptr && !value->is_array()) {
    throw wrong_type(path_of(key), "an array", *value);
  }
  return value == nullptr ? nullptr : &value->get_array();
}

const json::object* ObjectReader::find_object(std::string_view key) {
  const json::value* value = find(key);
  if (value != nullptr && !value->is_object()) {
    throw wrong_type(path_of(key), "an object", *value);
  }
  return value == nullptr ? nullptr : &value->get_object();
}

std::string ObjectReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void ObjectReader::refuse_unknown_keys() const {
  for (const auto& member : object_) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      const std::string path = path_of(shorten(key));
      throw RequestError("unknown_parameter", {.param = path},
                         fmt::format("Unknown parameter: '{}' is not a field of a request.", path));
    }
  }
}

}  // namespace vernal
