#include "text/exact_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/serializer.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace vernal {
namespace {

namespace json = boost::json;

constexpr char kMark = '\xFF';

/// Puts a tree together from what the library's parser finds.
class TreeBuilder {
 public:
  // NOLINTBEGIN(readability-identifier-naming): boost::json::basic_parser looks for these names
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  explicit TreeBuilder(json::storage_ptr memory) { stack_.reset(std::move(memory)); }

  json::value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t size, json::error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t size, json::error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, std::size_t, json::error_code&) {
    stack_.push_key(text);
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t, json::error_code&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, std::size_t, json::error_code&) {
    stack_.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view text, json::error_code&) {
    number_.append(text.data(), text.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view text, json::error_code&) {
    number_.append(text.data(), text.size());
    if (number_ == "-0") {
      push_written();
    } else {
      stack_.push_int64(number);
    }
    number_.clear();
    return true;
  }
  bool on_uint64(std::uint64_t, json::string_view text, json::error_code&) {
    number_.append(text.data(), text.size());
    push_written();
    return true;
  }
  bool on_double(double number, json::string_view text, json::error_code& error) {
    number_.append(text.data(), text.size());
    if (!std::isfinite(number)) {
      error = json::error::exponent_overflow;
      return false;
    }
    push_written();
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  void push_written() {
    number_.insert(number_.begin(), kMark);
    stack_.push_string(number_);
    number_.clear();
  }

  json::value_stack stack_;
  std::string number_;  // the digits so far of a number that comes in parts
};

void append_text(const json::value& value, std::string& out);

void append_string(json::string_view text, std::string& out) {
  json::serializer serializer;
  serializer.reset(text);
  char buffer[1024];
  while (!serializer.done()) {
    const json::string_view piece = serializer.read(buffer);
    out.append(piece.data(), piece.size());
  }
}

void append_array(const json::array& array, std::string& out) {
  std::string_view separator;
  out += '[';
  for (const json::value& element : array) {
    out += std::exchange(separator, ", ");
    append_text(element, out);
  }
  out += ']';
}

void append_object(const json::object& object, std::string& out) {
  std::string_view separator;
  out += '{';
  for (const auto& member : object) {
    out += std::exchange(separator, ", ");
    append_string(member.key(), out);
    out += ": ";
    append_text(member.value(), out);
  }
  out += '}';
}

void append_text(const json::value& value, std::string& out) {
  if (is_written_number(value)) {
    out += written_text(value);
  } else if (const json::string* text = value.if_string()) {
    append_string(*text, out);
  } else if (const json::array* array = value.if_array()) {
    append_array(*array, out);
  } else if (const json::object* object = value.if_object()) {
    append_object(*object, out);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string exact_json_text(const json::value& value) {
  std::string out;
  append_text(value, out);
  return out;
}

json::value parse_exact_json(std::string_view text, std::size_t max_depth, json::storage_ptr memory,
                             json::error_code& error) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<TreeBuilder> parser(options, std::move(memory));
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) {
    error = json::error::extra_data;
  }
  return error ? json::value() : parser.handler().release();
}

bool is_written_number(const json::value& value) noexcept {
  const json::string* text = value.if_string();
  return text != nullptr && !text->empty() && text->front() == kMark;
}

std::string_view written_text(const json::value& value) noexcept {
  const json::string& text = value.get_string();
  return {text.data() + 1, text.size() - 1};
}

double double_of(std::string_view number_text) noexcept {
  double number = 0.0;
  // Out of range is too small here: the parser refuses what is too large, and leaves the zero.
  std::from_chars(number_text.data(), number_text.data() + number_text.size(), number);
  return number;
}

}  // namespace vernal
