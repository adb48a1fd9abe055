#include "config/nesting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "vernal/error.hpp"

namespace vernal {
namespace {

/// Walks over the text character by character and skips strings and comments.
class NestingCheck {
 public:
  NestingCheck(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  void run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        structure(c);
        ++at_;
      }
    }
  }

 private:
  void structure(char c) {
    switch (c) {
      case '.':
        if (++num_dots_ >= kMostNested) refuse("a key of more than {} parts");
        break;
      case '[':
      case '{':
        num_dots_ = 0;
        if (++num_open_ > kMostNested) refuse("more than {} nested arrays and tables");
        break;
      case ']':
      case '}':
        num_open_ = std::max(0, num_open_ - 1);
        num_dots_ = 0;
        break;
      case '\n':
      case ',':
      case '=':
        num_dots_ = 0;
        break;
      default:
        break;
    }
  }

  /// Moves behind the string that begins here. A string that is not closed ends with its line, or
  /// with the text if it began with three quotes.
  void skip_string(char quote) {
    const std::string fence(3, quote);
    const bool is_multi_line = text_.substr(at_, 3) == fence;
    at_ += is_multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        at_ += 2;
      } else if (is_multi_line && text_.substr(at_, 3) == fence) {
        at_ += 3;
        // The text may end with one or two quotes of its own before the closing three.
        while (at_ < text_.size() && text_[at_] == quote) ++at_;
        return;
      } else if (!is_multi_line && (c == quote || c == '\n')) {
        at_ += c == quote ? 1 : 0;
        return;
      } else {
        ++at_;
      }
    }
  }

  [[noreturn]] void refuse(fmt::format_string<const int&> what) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1);
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 = 0: the first line
    const SourcePlace place{std::string(file_), line,
                            static_cast<std::uint32_t>(at_ - line_begin + 1)};
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: {}", place.text(), fmt::format(what, kMostNested)));
  }

  std::string_view text_;
  std::string_view file_;
  std::size_t at_ = 0;
  int num_open_ = 0;
  int num_dots_ = 0;
};

}  // namespace

void check_nesting(std::string_view text, std::string_view file) { NestingCheck(text, file).run(); }

}  // namespace vernal
