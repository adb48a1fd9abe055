#include "text/answer/values/value_transducer.hpp"

#include <utility>

#include "text/answer/values/json_text.hpp"

namespace vernal {
namespace {

bool is_blank(char byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

bool is_hex(char byte) noexcept {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
         (byte >= 'A' && byte <= 'F');
}

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

bool is_letter(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

bool is_word_byte(char byte) noexcept {
  return is_letter(byte) || is_digit(byte) || byte == '+' || byte == '-' || byte == '.';
}

std::string_view python_word(std::string_view word) noexcept {
  if (word == "True") return "true";
  if (word == "False") return "false";
  if (word == "None") return "null";
  return {};
}

bool is_control(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20; }

}  // namespace

ValueTransducer::Status ValueTransducer::step(char byte, std::string& out) {
  switch (state_) {
    case State::kString:
      return step_string(byte, out);
    case State::kEscape:
      return step_escape(byte, out);
    case State::kHex:
      return step_hex(byte, out);
    case State::kSurrogate:
      if (byte == '\\') {
        held_ += byte;
        state_ = State::kEscape;
        return Status::kMore;
      }
      out += held_;
      held_.clear();
      state_ = State::kString;
      return step_string(byte, out);
    case State::kWord:
      if (is_word_byte(byte) && held_.size() < kMaxWord) {
        held_ += byte;
        return Status::kMore;
      }
      if (!finish_word(out) || state_ == State::kDone) return Status::kUnexpected;
      return step_structure(byte, out);
    default:
      return step_structure(byte, out);
  }
}

ValueTransducer::Status ValueTransducer::step_structure(char byte, std::string& out) {
  if (state_ == State::kDone) return Status::kUnexpected;
  if (state_ == State::kOpeningMark) {
    if (byte != string_mark_[held_.size()]) return Status::kUnexpected;
    held_ += byte;
    if (held_.size() == string_mark_.size()) {
      held_.clear();
      out += '"';
      state_ = State::kString;
    }
    return Status::kMore;
  }
  if (state_ == State::kBareKey) {
    if (byte == ':') {
      out += json_string(held_) + ":";
      held_.clear();
      state_ = State::kValue;
      return Status::kMore;
    }
    if (byte == '}' || byte == '{' || is_control(byte) || held_.size() >= kMaxWord) {
      return Status::kUnexpected;
    }
    held_ += byte;
    return Status::kMore;
  }
  if (is_blank(byte)) {
    if (!is_compact()) out += byte;
    return Status::kMore;
  }
  switch (state_) {
    case State::kColon:
      if (byte != ':') return Status::kUnexpected;
      out += byte;
      state_ = State::kValue;
      return Status::kMore;
    case State::kAfter:
      if (byte != ',') return close(byte, out);
      // Python allows a comma behind the last element; compact JSON is written before the next one.
      if (is_compact()) {
        had_trailing_comma_ = true;
      } else {
        out += byte;
      }
      state_ = stack_.back() == '{' ? State::kKey : State::kValue;
      return Status::kMore;
    default:
      return begin_value(byte, out);
  }
}

ValueTransducer::Status ValueTransducer::begin_value(char byte, std::string& out) {
  const bool wants_key = state_ == State::kKey || state_ == State::kFirstKey;
  const bool may_close = state_ == State::kFirstKey || state_ == State::kFirstElement;
  if (may_close || had_trailing_comma_) {
    const bool is_closer = byte == '}' || byte == ']' || byte == ')';
    if (is_closer) return close(byte, out);
  }
  if (had_trailing_comma_) out += ',';
  had_trailing_comma_ = false;
  is_key_ = wants_key;
  if (style_ == ValueStyle::kMarked && !string_mark_.empty() && byte == string_mark_.front()) {
    held_.assign(1, byte);
    quote_ = '\0';
    state_ = State::kOpeningMark;
    return Status::kMore;
  }
  if (byte == '"' || (byte == '\'' && style_ == ValueStyle::kPython)) {
    out += '"';
    begin_string(byte);
    return Status::kMore;
  }
  if (wants_key) {
    if (style_ != ValueStyle::kMarked) return Status::kUnexpected;
    held_.assign(1, byte);
    state_ = State::kBareKey;
    return Status::kMore;
  }
  const bool is_list = byte == '[' || (byte == '(' && style_ == ValueStyle::kPython);
  if (byte == '{' || is_list) {
    if (stack_.size() >= kMaxDepth) return Status::kUnexpected;
    open(byte, out);
    return Status::kMore;
  }
  if (!is_word_byte(byte)) return Status::kUnexpected;
  held_.assign(1, byte);
  state_ = State::kWord;
  return Status::kMore;
}

void ValueTransducer::open(char bracket, std::string& out) {
  stack_.push_back(bracket);
  out += bracket == '{' ? '{' : '[';
  state_ = bracket == '{' ? State::kFirstKey : State::kFirstElement;
}

ValueTransducer::Status ValueTransducer::close(char byte, std::string& out) {
  if (stack_.empty()) return Status::kUnexpected;
  const char bracket = stack_.back();
  const char expected = bracket == '{' ? '}' : (bracket == '[' ? ']' : ')');
  if (byte != expected) return Status::kUnexpected;
  had_trailing_comma_ = false;
  stack_.pop_back();
  out += bracket == '{' ? '}' : ']';
  end_value();
  return state_ == State::kDone ? Status::kDone : Status::kMore;
}

void ValueTransducer::begin_string(char quote) {
  quote_ = quote;
  state_ = State::kString;
}

void ValueTransducer::end_string(std::string& out) {
  out += '"';
  if (is_key_) {
    state_ = State::kColon;
  } else {
    end_value();
  }
}

ValueTransducer::Status ValueTransducer::step_string(char byte, std::string& out) {
  if (quote_ == '\0') {  // between marks: nothing is an escape
    if (byte == string_mark_[held_.size()]) {
      held_ += byte;
      if (held_.size() < string_mark_.size()) return Status::kMore;
      held_.clear();
      end_string(out);
      return state_ == State::kDone ? Status::kDone : Status::kMore;
    }
    for (const char kept : held_) append_json_byte(kept, out);
    held_.clear();
    if (byte == string_mark_.front()) {
      held_ += byte;
    } else {
      append_json_byte(byte, out);
    }
    return Status::kMore;
  }
  if (byte == quote_) {
    end_string(out);
    return state_ == State::kDone ? Status::kDone : Status::kMore;
  }
  if (byte == '\\') {
    held_.assign(1, byte);
    state_ = State::kEscape;
    return Status::kMore;
  }
  append_json_byte(byte, out);
  return Status::kMore;
}

// held_ is the backslash, behind a high surrogate perhaps. What is no escape of JSON gets a second
// backslash; Python knows some more.
ValueTransducer::Status ValueTransducer::step_escape(char byte, std::string& out) {
  if (held_.size() > 1 && byte != 'u') {  // the surrogate stays alone
    held_.pop_back();
    out += held_;
    held_.assign(1, '\\');
  }
  if (byte == 'u' || (byte == 'x' && style_ == ValueStyle::kPython)) {
    held_ += byte;
    num_hex_ = byte == 'u' ? 4 : 2;
    state_ = State::kHex;
    return Status::kMore;
  }
  held_.clear();
  state_ = State::kString;
  constexpr std::string_view kKnown = "\"\\/bfnrt";
  if (kKnown.find(byte) != std::string_view::npos) {
    out += '\\';
    out += byte;
  } else if (style_ == ValueStyle::kPython && byte == '\'') {
    out += byte;
  } else if (style_ != ValueStyle::kPython || byte != '\n') {  // Python joins the lines
    out += "\\\\";
    return step_string(byte, out);
  }
  return Status::kMore;
}

ValueTransducer::Status ValueTransducer::step_hex(char byte, std::string& out) {
  if (!is_hex(byte)) {
    // No escape after all: its backslash is text. One before it may be a whole surrogate.
    const std::size_t backslash = held_.rfind('\\');
    held_.insert(backslash, 1, '\\');
    out += held_;
    held_.clear();
    state_ = State::kString;
    return step_string(byte, out);
  }
  held_ += byte;
  if (--num_hex_ > 0) return Status::kMore;
  const std::size_t digits = held_.size() - (held_[held_.rfind('\\') + 1] == 'x' ? 2 : 4);
  if (held_[digits - 1] == 'x') held_.replace(digits - 1, 1, "u00");
  const bool is_first = held_.size() == 6;
  const char high = held_[held_.size() - 4];
  const char next = held_[held_.size() - 3];
  const bool is_high_surrogate = is_first && (high == 'd' || high == 'D') &&
                                 std::string_view("89abAB").find(next) != std::string_view::npos;
  if (is_high_surrogate) {
    state_ = State::kSurrogate;
    return Status::kMore;
  }
  out += held_;
  held_.clear();
  state_ = State::kString;
  return Status::kMore;
}

bool ValueTransducer::finish_word(std::string& out) {
  const std::string word = std::exchange(held_, {});
  const std::string_view python = python_word(word);
  const bool is_json = word == "true" || word == "false" || word == "null" || is_json_number(word);
  end_value();
  if (!python.empty()) {
    out += python;
  } else if (is_json) {
    out += word;
  } else if (style_ == ValueStyle::kMarked) {
    out += json_string(word);
  } else {
    out += word;
    state_ = State::kValue;  // not at a boundary
    return false;
  }
  return true;
}

void ValueTransducer::end(std::string& out) {
  if (state_ == State::kString && quote_ == '\0') {
    for (const char kept : held_) append_json_byte(kept, out);
  } else if (state_ == State::kWord) {
    const std::string_view python = python_word(held_);
    out += python.empty() ? std::string_view(held_) : python;
  } else {
    out += held_;
  }
  held_.clear();
}

bool ValueTransducer::is_at_boundary() const {
  if (state_ == State::kWord) {
    return is_json_number(held_) || held_ == "true" || held_ == "false" || held_ == "null" ||
           !python_word(held_).empty();
  }
  return state_ == State::kAfter || state_ == State::kFirstElement || state_ == State::kFirstKey ||
         state_ == State::kDone;
}

bool ValueTransducer::is_complete() const { return stack_.empty() && is_at_boundary(); }

std::string ValueTransducer::closers() const {
  std::string out;
  for (auto bracket = stack_.rbegin(); bracket != stack_.rend(); ++bracket) {
    out += *bracket == '{' ? '}' : ']';
  }
  return out;
}

bool ValueTransducer::is_in_string() const noexcept {
  return state_ == State::kString || state_ == State::kEscape || state_ == State::kHex ||
         state_ == State::kSurrogate;
}

std::optional<std::string> literal_to_json(std::string_view text) {
  ValueTransducer value(ValueStyle::kPython);
  std::string out;
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const ValueTransducer::Status status = value.step(text[i], out);
    if (status == ValueTransducer::Status::kUnexpected) return std::nullopt;
    if (status == ValueTransducer::Status::kDone && i + 1 < text.size()) return std::nullopt;
  }
  if (!value.is_complete()) return std::nullopt;
  value.end(out);
  return out;
}

}  // namespace vernal
