#include "text/jinja/syntax/string_literal.hpp"

#include <charconv>
#include <cstdint>

#include "text/jinja/error.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

bool is_high_surrogate(char32_t value) { return value >= 0xD800 && value <= 0xDBFF; }
bool is_low_surrogate(char32_t value) { return value >= 0xDC00 && value <= 0xDFFF; }

class Unescaper {
 public:
  explicit Unescaper(std::string_view text) : text_(text) {}

  std::string run() {
    while (position_ < text_.size()) {
      const std::size_t mark = std::min(text_.find('\\', position_), text_.size());
      result_.append(text_.substr(position_, mark - position_));
      position_ = mark;
      if (mark + 1 < text_.size()) {
        position_ += 2;
        resolve(text_[mark + 1]);
      }
    }
    return std::move(result_);
  }

 private:
  void resolve(char escape) {
    switch (escape) {
      case '\n':
        break;
      case '\\':
      case '\'':
      case '"':
        result_.push_back(escape);
        break;
      case 'a':
        result_.push_back('\a');
        break;
      case 'b':
        result_.push_back('\b');
        break;
      case 'f':
        result_.push_back('\f');
        break;
      case 'n':
        result_.push_back('\n');
        break;
      case 'r':
        result_.push_back('\r');
        break;
      case 't':
        result_.push_back('\t');
        break;
      case 'v':
        result_.push_back('\v');
        break;
      case 'x':
        append_utf8(result_, read_digits(2));
        break;
      case 'u':
        append_with_surrogates(read_digits(4));
        break;
      case 'U':
        append_utf8(result_, read_digits(8));
        break;
      default:
        if (escape >= '0' && escape <= '7') {
          append_octal(escape);
        } else {
          result_.push_back('\\');
          result_.push_back(escape);
        }
    }
  }

  char32_t read_digits(std::size_t count) {
    const std::string_view digits = text_.substr(position_, count);
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < count || error != std::errc{} || end != digits.data() + count) {
      fail("a \\x, \\u or \\U escape needs {} hexadecimal digits", count);
    }
    position_ += count;
    return static_cast<char32_t>(value);
  }

  void append_with_surrogates(char32_t value) {
    if (is_high_surrogate(value) && text_.substr(position_).starts_with("\\u")) {
      const std::size_t before = position_;
      position_ += 2;
      const char32_t low = read_digits(4);
      if (is_low_surrogate(low)) {
        append_utf8(result_, 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00));
        return;
      }
      position_ = before;
    }
    append_utf8(result_, value);
  }

  void append_octal(char first) {
    auto value = static_cast<char32_t>(first - '0');
    for (int i = 0; i < 2 && position_ < text_.size(); ++i) {
      const char digit = text_[position_];
      if (digit < '0' || digit > '7') {
        break;
      }
      value = value * 8 + static_cast<char32_t>(digit - '0');
      ++position_;
    }
    append_utf8(result_, value);
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::string result_;
};

}  // namespace

std::string unescape_string(std::string_view text) { return Unescaper(text).run(); }

}  // namespace vernal::jinja
