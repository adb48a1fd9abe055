#include "text/answer/tag_arguments.hpp"

#include "text/answer/values/element_values.hpp"
#include "text/answer/values/json_text.hpp"

namespace vernal {

void TagArguments::begin_value(std::string_view key, const ParameterType& type) {
  key_ = key;
  type_ = type;
  value_.clear();
  held_.clear();
  is_at_line_start_ = true;
  is_text_ = type_.is_text();
  if (!is_text_) return;
  sink_.arguments(member_begin() + "\"");
}

std::string TagArguments::member_begin() {
  const bool is_first = written_keys_.empty();
  written_keys_.insert(key_);
  return (is_first ? "" : ",") + json_string(key_) + ":";
}

void TagArguments::put(std::string_view bytes) {
  for (const char byte : bytes) {
    const bool is_break = byte == '\n' || byte == '\r';
    const bool joins = held_ == "\r" && byte == '\n';
    if (!held_.empty() && !joins) flush();
    is_at_line_start_ = byte == '\n';
    if (is_break && form_.has_line_breaks) {
      held_ += byte;
    } else {
      put_now(byte);
    }
  }
  if (is_text_) {
    sink_.arguments(written_);
    written_.clear();
  }
}

void TagArguments::put_now(char byte) {
  if (is_text_) {
    append_json_byte(byte, written_);
  } else {
    value_ += byte;
  }
}

void TagArguments::flush() {
  for (const char byte : held_) put_now(byte);
  held_.clear();
}

void TagArguments::end_value() {
  held_.clear();
  if (is_text_) {
    sink_.arguments("\"");
    return;
  }
  const bool is_tree = form_.has_elements && value_.find(form_.element_prefix) != std::string::npos;
  const std::string json =
      is_tree ? elements_to_json(value_, form_.element_prefix) : value_to_json(value_, type_);
  sink_.arguments(member_begin() + json);
}

void TagArguments::cut_value() {
  flush();
  sink_.arguments(written_);
  written_.clear();
}

}  // namespace vernal
