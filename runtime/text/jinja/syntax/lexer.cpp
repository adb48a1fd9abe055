#include "text/jinja/syntax/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "text/jinja/error.hpp"
#include "text/jinja/syntax/string_literal.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

constexpr std::array<std::string_view, 25> kOperators = {
    "**", "//", "==", "!=", ">=", "<=",  // longest first
    "+",  "-",  "/",  "*",  "%",  "~",  "[", "]", "(", ")",
    "{",  "}",  ">",  "<",  "=",  ".",  ":", "|", ","};

/// The source with \n for every line ending, and without one newline at the end.
std::string normalized(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      result.push_back(source[i]);
      continue;
    }
    result.push_back('\n');
    if (i + 1 < source.size() && source[i + 1] == '\n') {
      ++i;
    }
  }
  if (!result.empty() && result.back() == '\n') {
    result.pop_back();
  }
  return result;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::uint32_t& line) : source_(source), line_(line) {}

  std::vector<Token> run() {
    while (position_ < source_.size()) {
      read_text_and_tag();
    }
    add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  bool starts_with(std::string_view text) const {
    return source_.substr(position_).starts_with(text);
  }

  void advance(std::size_t num_bytes) {
    const std::string_view passed = source_.substr(position_, num_bytes);
    line_ += static_cast<std::uint32_t>(std::count(passed.begin(), passed.end(), '\n'));
    position_ += num_bytes;
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  /// The position of the next {{, {% or {#; the end if there is none.
  std::size_t find_tag() const {
    for (std::size_t at = source_.find('{', position_); at != std::string_view::npos;
         at = source_.find('{', at + 1)) {
      if (at + 1 < source_.size() &&
          (source_[at + 1] == '{' || source_[at + 1] == '%' || source_[at + 1] == '#')) {
        return at;
      }
    }
    return source_.size();
  }

  void read_text_and_tag() {
    const std::size_t tag = find_tag();
    if (tag == source_.size()) {
      add_text(source_.substr(position_));
      advance(source_.size() - position_);
      return;
    }
    const char kind = source_[tag + 1];
    std::size_t num_bytes = 2;
    char sign = '\0';
    if (tag + 2 < source_.size() && (source_[tag + 2] == '-' || source_[tag + 2] == '+')) {
      sign = source_[tag + 2];
      num_bytes = 3;
    }
    add_text_before_tag(source_.substr(position_, tag - position_), sign, kind != '{');
    advance(tag - position_);
    const std::size_t raw_bytes = kind == '%' ? match_raw_tag(num_bytes, "raw", false) : 0;
    if (raw_bytes != 0) {
      advance(raw_bytes);
      read_raw();
      return;
    }
    if (kind == '#') {
      advance(num_bytes);
      skip_comment();
      return;
    }
    add(kind == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin, "");
    advance(num_bytes);
    read_expression(kind == '{');
  }

  void add_text(std::string_view text) {
    if (!text.empty()) {
      add(TokenKind::kText, std::string(text));
    }
  }

  /// Adds the text before a tag, without the white space that the tag's sign or lstrip_blocks
  /// removes.
  void add_text_before_tag(std::string_view text, char sign, bool is_stripped_by_default) {
    if (sign == '-') {
      text = strip(text, Side::kRight);
    } else if (sign != '+' && is_stripped_by_default) {
      const std::size_t newline = text.rfind('\n');
      const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
      if ((line_start > 0 || is_line_start_) &&
          strip(text.substr(line_start), Side::kRight).empty()) {
        text = text.substr(0, line_start);
      }
    }
    add_text(text);
  }

  std::size_t num_spaces(std::size_t at) const {
    const std::string_view rest = source_.substr(std::min(at, source_.size()));
    return rest.size() - strip(rest, Side::kLeft).size();
  }

  /// The bytes of the tag `{% name %}` at the position, whose opening has `opening` bytes; 0 if it
  /// is another tag.
  std::size_t match_raw_tag(std::size_t opening, std::string_view name, bool is_trimmed) const {
    std::size_t at = position_ + opening;
    at += num_spaces(at);
    if (!source_.substr(std::min(at, source_.size())).starts_with(name)) {
      return 0;
    }
    at += name.size();
    at += num_spaces(at);
    const std::optional<std::size_t> closing = match_closing(at, '%', is_trimmed);
    return closing.has_value() ? at + *closing - position_ : 0;
  }

  /// The bytes of the closing `%}`, `-%}` or `+%}` at `at`, with another mark for `%` if `mark`
  /// says so, and of the white space that it removes. Nothing if there is no closing.
  std::optional<std::size_t> match_closing(std::size_t at, char mark, bool is_trimmed) const {
    const std::string_view rest = source_.substr(std::min(at, source_.size()));
    const std::size_t sign = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? 1 : 0;
    if (rest.size() < sign + 2 || rest[sign] != mark || rest[sign + 1] != '}') {
      return std::nullopt;
    }
    const std::size_t end = sign + 2;
    if (sign == 1 && rest[0] == '-') {
      return end + num_spaces(at + end);
    }
    const bool drops_newline = is_trimmed && sign == 0 && end < rest.size() && rest[end] == '\n';
    return end + (drops_newline ? 1 : 0);
  }

  void pass_closing(std::size_t num_bytes) {
    advance(num_bytes);
    is_line_start_ = source_[position_ - 1] == '\n';
  }

  void skip_comment() {
    const std::size_t end = source_.find("#}", position_);
    if (end == std::string_view::npos) {
      fail("a comment has no end; expected '#}}'");
    }
    // A sign belongs to the closing, unless it is that of the opening.
    const bool has_sign = end > position_ && (source_[end - 1] == '-' || source_[end - 1] == '+');
    const std::size_t start = has_sign ? end - 1 : end;
    advance(start - position_);
    pass_closing(*match_closing(start, '#', true));
  }

  void read_raw() {
    for (std::size_t at = source_.find("{%", position_); at != std::string_view::npos;
         at = source_.find("{%", at + 1)) {
      const char after = at + 2 < source_.size() ? source_[at + 2] : '\0';
      const bool has_sign = after == '-' || after == '+';
      const std::size_t text_start = position_;
      position_ = at;
      const std::size_t num_bytes = match_raw_tag(has_sign ? 3 : 2, "endraw", true);
      position_ = text_start;
      if (num_bytes != 0) {
        is_line_start_ = source_[position_ - 1] == '\n';
        add_text_before_tag(source_.substr(position_, at - position_), has_sign ? after : '\0',
                            true);
        advance(at - position_);
        pass_closing(num_bytes);
        return;
      }
    }
    fail("a raw block has no end; expected '{{% endraw %}}'");
  }

  /// Reads the tokens up to the end of the tag, which is included.
  void read_expression(bool is_variable) {
    const std::uint32_t start_line = line_;
    while (position_ < source_.size()) {
      if (open_.empty() && read_closing(is_variable)) {
        return;
      }
      read_token();
    }
    line_ = start_line;
    fail("a tag has no end; expected '{}'", is_variable ? "}}" : "%}");
  }

  bool read_closing(bool is_variable) {
    const bool has_plus = is_variable && starts_with("+");
    const std::optional<std::size_t> closing =
        match_closing(position_, is_variable ? '}' : '%', !is_variable);
    if (!closing.has_value() || has_plus) {
      return false;
    }
    add(is_variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd, "");
    pass_closing(*closing);
    return true;
  }

  void read_token() {
    const CodePoint point = code_point_at(source_, position_);
    const char first = source_[position_];
    if (is_space(point.value)) {
      advance(num_spaces(position_));
    } else if (is_ascii_digit(first)) {
      read_number();
    } else if (is_name_character(point.value)) {
      read_name();
    } else if (first == '\'' || first == '"') {
      read_string(first);
    } else {
      read_operator(point);
    }
  }

  void read_name() {
    std::size_t end = position_;
    while (end < source_.size()) {
      const CodePoint point = code_point_at(source_, end);
      if (!is_name_character(point.value)) {
        break;
      }
      end += point.num_bytes;
    }
    add(TokenKind::kName, std::string(source_.substr(position_, end - position_)));
    advance(end - position_);
  }

  /// The length of a run of digits at `at`, with single underscores between digits.
  std::size_t num_digits(std::size_t at) const {
    std::size_t end = at;
    while (end < source_.size() && (is_ascii_digit(source_[end]) ||
                                    (source_[end] == '_' && end > at && end + 1 < source_.size() &&
                                     is_ascii_digit(source_[end + 1])))) {
      ++end;
    }
    return end - at;
  }

  void read_number() {
    std::size_t end = position_ + num_digits(position_);
    bool is_float = false;
    const bool follows_dot = position_ > 0 && source_[position_ - 1] == '.';
    if (!follows_dot && end < source_.size() && source_[end] == '.') {
      const std::size_t fraction = num_digits(end + 1);
      is_float = fraction > 0;
      end += is_float ? fraction + 1 : 0;
    }
    if (!follows_dot && end < source_.size() && (source_[end] | 0x20) == 'e') {
      std::size_t digits = end + 1;
      digits +=
          digits < source_.size() && (source_[digits] == '+' || source_[digits] == '-') ? 1 : 0;
      if (const std::size_t exponent = num_digits(digits); exponent > 0) {
        is_float = true;
        end = digits + exponent;
      }
    }
    if (!is_float) {
      end = std::max(end, position_ + num_radix_digits());
    }
    std::string text(source_.substr(position_, end - position_));
    std::erase(text, '_');
    add(is_float ? TokenKind::kFloat : TokenKind::kInteger, std::move(text));
    advance(end - position_);
  }

  /// The length of 0x…, 0o… or 0b… at the position; 0 if there is none.
  std::size_t num_radix_digits() const {
    if (source_[position_] != '0' || position_ + 1 >= source_.size()) {
      return 0;
    }
    const char radix = static_cast<char>(source_[position_ + 1] | 0x20);
    const std::string_view digits = radix == 'x'   ? "0123456789abcdefABCDEF_"
                                    : radix == 'o' ? "01234567_"
                                    : radix == 'b' ? "01_"
                                                   : "";
    const std::size_t end =
        std::min(source_.find_first_not_of(digits, position_ + 2), source_.size());
    return digits.empty() || end == position_ + 2 ? 0 : end - position_;
  }

  void read_string(char quote) {
    std::size_t end = position_ + 1;
    while (end < source_.size() && source_[end] != quote) {
      end += source_[end] == '\\' ? 2 : 1;
    }
    if (end >= source_.size()) {
      fail("a string has no end; expected {}", quote);
    }
    add(TokenKind::kString, unescape_string(source_.substr(position_ + 1, end - position_ - 1)));
    advance(end + 1 - position_);
  }

  void read_operator(CodePoint point) {
    const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                    [&](std::string_view text) { return starts_with(text); });
    if (found == kOperators.end()) {
      fail("unexpected character '{}'", source_.substr(position_, point.num_bytes));
    }
    balance((*found)[0]);
    add(TokenKind::kOperator, std::string(*found));
    advance(found->size());
  }

  void balance(char bracket) {
    switch (bracket) {
      case '(':
        open_.push_back(')');
        break;
      case '[':
        open_.push_back(']');
        break;
      case '{':
        open_.push_back('}');
        break;
      case ')':
      case ']':
      case '}':
        if (open_.empty()) {
          fail("unexpected '{}'", bracket);
        }
        if (open_.back() != bracket) {
          fail("unexpected '{}', expected '{}'", bracket, open_.back());
        }
        open_.pop_back();
        break;
      default:
        break;
    }
  }

  std::string_view source_;
  std::uint32_t& line_;
  std::size_t position_ = 0;
  bool is_line_start_ = true;  // whether the text at the position starts a line
  std::vector<char> open_;     // brackets to be closed, innermost last
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::uint32_t& line) {
  line = 1;
  if (source.size() > kMaxSourceBytes) {
    fail_limit("the template has {} bytes; at most {} are read", source.size(), kMaxSourceBytes);
  }
  if (!is_valid_utf8(source)) {
    fail("the template is not valid UTF-8");
  }
  return Lexer(normalized(source), line).run();
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kText:
      return "text";
    case TokenKind::kVariableBegin:
      return "'{{'";
    case TokenKind::kVariableEnd:
      return "'}}'";
    case TokenKind::kBlockBegin:
      return "'{%'";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kEnd:
      return "end of the template";
    case TokenKind::kString:
      return "a string";
    default:
      return fmt::format("'{}'", token.text);
  }
}

}  // namespace vernal::jinja
