#include "openai_http/protocol/exact_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr char kMark = '\xFF';
constexpr std::array<std::string_view, 8> kHandedOn = {
    "tools",  "input",       "arguments",   "chat_template_kwargs",
    "schema", "json_schema", "guided_json", "json"};

/// Puts a tree together from what the library's parser finds.
class TreeBuilder {
 public:
  // NOLINTBEGIN(readability-identifier-naming): boost::json::basic_parser looks for these names
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  explicit TreeBuilder(const json::storage_ptr& memory) : stack_(memory) { stack_.reset(memory); }

  json::value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return enter(); }
  bool on_object_end(std::size_t size, json::error_code&) {
    stack_.push_object(size);
    return leave();
  }
  bool on_array_begin(json::error_code&) { return enter(); }
  bool on_array_end(std::size_t size, json::error_code&) {
    stack_.push_array(size);
    return leave();
  }
  bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
    key_.append(text.data(), text.size());
    stack_.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, std::size_t, json::error_code&) {
    key_.append(text.data(), text.size());
    is_handed_on_ = std::find(kHandedOn.begin(), kHandedOn.end(), key_) != kHandedOn.end();
    key_.clear();
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
    if (!push_written(text, number == 0)) stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view text, json::error_code&) {
    if (!push_written(text, true)) stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view text, json::error_code& error) {
    if (!std::isfinite(number)) error = json::error::exponent_overflow;
    if (!push_written(text, true)) stack_.push_double(number);
    return !error;
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
  bool enter() {
    if (handed_on_depth_ > 0 || is_handed_on_) ++handed_on_depth_;
    return true;
  }
  bool leave() {
    if (handed_on_depth_ > 0) --handed_on_depth_;
    is_handed_on_ = false;
    return true;
  }
  /// Ends a number. Whether it was pushed as a written one.
  bool push_written(json::string_view text, bool may_print_differently) {
    number_.append(text.data(), text.size());
    const bool is_kept = handed_on_depth_ > 0 && may_print_differently && number_ != "0";
    if (is_kept) {
      number_.insert(number_.begin(), kMark);
      stack_.push_string(number_);
    }
    number_.clear();
    return is_kept;
  }

  json::value_stack stack_;
  std::string key_;            // as far as it came, if it comes in parts
  std::string number_;         // the same
  bool is_handed_on_ = false;  // the value of the last key is
  std::size_t handed_on_depth_ = 0;
};

}  // namespace

ParsedJson parse_exact_json(std::string_view text, std::size_t max_depth,
                            const json::storage_ptr& memory) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<TreeBuilder> parser(options, memory);
  ParsedJson result{json::value(memory), {}, 0};
  result.num_bytes = parser.write_some(false, text.data(), text.size(), result.error);
  if (!result.error && result.num_bytes < text.size()) result.error = json::error::extra_data;
  if (!result.error) result.value = parser.handler().release();
  return result;
}

bool is_written_number(const json::value& value) noexcept {
  const json::string* const text = value.if_string();
  return text != nullptr && !text->empty() && text->front() == kMark;
}

std::string_view written_text(const json::value& value) noexcept {
  const json::string& text = value.get_string();
  return {text.data() + 1, text.size() - 1};
}

}  // namespace vernal::openai_http
