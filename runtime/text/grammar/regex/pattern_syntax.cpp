#include "text/grammar/regex/pattern_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {
namespace {

using PatternKind = PatternNode::Kind;

constexpr int kMaxPatternGroups = 60;  // one in another
constexpr std::uint32_t kMaxQuantity = 1'000'000;

PatternNode set_node(Charset set) {
  PatternNode node;
  node.kind = PatternKind::kSet;
  node.set = std::move(set);
  return node;
}

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(to_code_points(text)) {}

  PatternNode parse() {
    if (text_.substr(0, 4) == U"(?i)") {
      at_ = 4;
      ignores_case_ = true;
    }
    PatternNode node = parse_choice();
    if (at_ < text_.size()) {
      fail("a parenthesis closes nothing");
    }
    return node;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw PatternProblem{fmt::format("{} at character {}", what, at_ + 1)};
  }

  bool is_at_end() const { return at_ >= text_.size(); }
  char32_t peek() const { return is_at_end() ? U'\0' : text_[at_]; }
  bool take(std::u32string_view expected) {
    const bool matches = std::u32string_view(text_).substr(at_, expected.size()) == expected;
    at_ += matches ? expected.size() : 0;
    return matches;
  }

  PatternNode parse_choice() {
    PatternNode choice;
    choice.kind = PatternKind::kChoice;
    do {
      choice.parts.push_back(parse_sequence());
    } while (take(U"|"));
    return choice.parts.size() == 1 ? std::move(choice.parts[0]) : choice;
  }

  PatternNode parse_sequence() {
    PatternNode sequence;
    while (!is_at_end() && peek() != U'|' && peek() != U')') {
      PatternNode node = parse_atom();
      parse_quantifiers(node);
      sequence.parts.push_back(std::move(node));
    }
    return sequence;
  }

  PatternNode parse_atom() {
    PatternNode node;
    switch (peek()) {
      case U'^':
        ++at_;
        node.kind = PatternKind::kBegin;
        return node;
      case U'$':
        ++at_;
        node.kind = PatternKind::kEnd;
        return node;
      case U'(':
        ++at_;
        return parse_group();
      case U'[':
        ++at_;
        return set_node(with_case(parse_class()));
      case U'.':
        ++at_;
        return set_node(escape_class('.'));
      case U'\\':
        ++at_;
        return set_node(with_case(parse_escape(false)));
      case U'*':
      case U'+':
      case U'?':
        fail("nothing to repeat");
      default:
        return set_node(with_case(Charset::of(text_[at_++])));
    }
  }

  Charset with_case(Charset set) const {
    if (!ignores_case_) {
      return set;
    }
    std::vector<CodeRange> more = set.ranges();
    for (std::uint32_t letter = 'a'; letter <= 'z'; ++letter) {
      const std::uint32_t capital = letter - 'a' + 'A';
      if (set.contains(letter) || set.contains(capital)) {
        more.push_back({letter, letter});
        more.push_back({capital, capital});
      }
    }
    return Charset(std::move(more));
  }

  PatternNode parse_group() {
    if (++groups_ > kMaxPatternGroups) {
      fail("groups are nested too deeply");
    }
    PatternNode node;
    if (take(U"?=") || take(U"?!")) {
      node.kind = PatternKind::kLookahead;
      node.is_negative = text_[at_ - 1] == U'!';
      node.parts.push_back(parse_choice());
    } else if (take(U"?<=") || take(U"?<!")) {
      fail("lookbehind is not supported");
    } else if (take(U"?<") || take(U"?P<")) {
      skip_name();
      node = parse_choice();
    } else if (take(U"?:")) {
      node = parse_choice();
    } else if (peek() == U'?') {
      fail("this kind of group is not supported");
    } else {
      node = parse_choice();
    }
    if (!take(U")")) {
      fail("a group is not closed");
    }
    --groups_;
    return node;
  }

  void skip_name() {
    while (!is_at_end() && peek() != U'>') {
      ++at_;
    }
    if (!take(U">")) {
      fail("a group's name is not closed");
    }
  }

  void parse_quantifiers(PatternNode& node) {
    std::uint32_t min = 0;
    std::uint32_t max = 0;
    while (parse_quantifier(min, max)) {
      take(U"?");  // lazy or not, the texts are the same
      PatternNode repeat;
      repeat.kind = PatternKind::kRepeat;
      repeat.min = min;
      repeat.max = max;
      repeat.parts.push_back(std::move(node));
      node = std::move(repeat);
      if (++quantifiers_in_a_row_ > 8) {
        fail("too many quantifiers in a row");
      }
    }
    quantifiers_in_a_row_ = 0;
  }

  bool parse_quantifier(std::uint32_t& min, std::uint32_t& max) {
    if (take(U"*") || take(U"+") || take(U"?")) {
      const char32_t letter = text_[at_ - 1];
      min = letter == U'+' ? 1 : 0;
      max = letter == U'?' ? 1 : kUnlimited;
      return true;
    }
    const std::size_t before = at_;
    if (take(U"{") && parse_count(min)) {
      max = min;
      if (take(U",")) {
        max = kUnlimited;
        if (peek() != U'}' && !parse_count(max)) {
          at_ = before;
          return false;
        }
      }
      if (take(U"}")) {
        if (min > max) {
          fail("the numbers of a quantifier are out of order");
        }
        return true;
      }
    }
    at_ = before;
    return false;
  }

  bool parse_count(std::uint32_t& count) {
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    while (peek() >= U'0' && peek() <= U'9') {
      value = std::min<std::uint64_t>(value * 10 + (peek() - U'0'), kMaxQuantity);
      ++at_;
    }
    count = static_cast<std::uint32_t>(value);
    return at_ > begin;
  }

  Charset parse_class() {
    const bool is_negative = take(U"^");
    Charset all;
    while (!take(U"]")) {
      if (is_at_end()) {
        fail("a class is not closed");
      }
      Charset item = parse_class_item();
      const bool is_single =
          item.ranges().size() == 1 && item.ranges()[0].first == item.ranges()[0].last;
      if (is_single && peek() == U'-' && at_ + 1 < text_.size() && text_[at_ + 1] != U']') {
        ++at_;
        const Charset end = parse_class_item();
        const bool is_range =
            end.ranges().size() == 1 && end.ranges()[0].first == end.ranges()[0].last;
        if (!is_range) {  // [a-\d] is a, minus and digits
          all = all.united(Charset::of(U'-')).united(end);
        } else if (item.ranges()[0].first > end.ranges()[0].first) {
          fail("a range is out of order");
        } else {
          item = Charset({{item.ranges()[0].first, end.ranges()[0].first}});
        }
      }
      all = all.united(item);
    }
    if (ignores_case_) {
      all = with_case(all);
    }
    return is_negative ? all.complement() : all;
  }

  Charset parse_class_item() {
    if (take(U"\\")) {
      return parse_escape(true);
    }
    return Charset::of(text_[at_++]);
  }

  Charset parse_escape(bool in_class) {
    if (is_at_end()) {
      fail("an escape is not complete");
    }
    const char32_t letter = text_[at_++];
    switch (letter) {
      case U'd':
      case U'D':
      case U'w':
      case U'W':
      case U's':
      case U'S':
        return escape_class(static_cast<char>(letter));
      case U'n':
        return Charset::of(U'\n');
      case U'r':
        return Charset::of(U'\r');
      case U't':
        return Charset::of(U'\t');
      case U'f':
        return Charset::of(U'\f');
      case U'v':
        return Charset::of(U'\v');
      case U'0':
        return Charset::of(0);
      case U'c':
        return Charset::of(is_at_end() ? 0 : text_[at_++] & 31U);
      case U'x':
        return Charset::of(parse_hex(2));
      case U'u':
        return Charset::of(parse_unicode_escape());
      case U'p':
      case U'P':
        return parse_property(letter == U'P');
      case U'b':
        if (in_class) {
          return Charset::of(U'\b');
        }
        [[fallthrough]];
      case U'B':
      case U'A':
      case U'Z':
      case U'z':
      case U'G':
        fail("a border of words or text is not supported");
      case U'k':
        fail("references are not supported");
      default:
        if (letter >= U'1' && letter <= U'9') {
          fail("references are not supported");
        }
        return Charset::of(letter);
    }
  }

  std::uint32_t parse_hex(int digits) {
    std::uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char32_t letter = peek();
      const bool is_letter = (letter | 32U) >= U'a' && (letter | 32U) <= U'f';
      if (!is_letter && (letter < U'0' || letter > U'9')) {
        fail("a hexadecimal digit is missing");
      }
      value = value * 16 + (is_letter ? (letter | 32U) - U'a' + 10 : letter - U'0');
    }
    return value;
  }

  std::uint32_t parse_unicode_escape() {
    if (take(U"{")) {
      std::uint32_t value = 0;
      while (!take(U"}")) {
        value = std::min(value * 16 + parse_hex(1), kMaxCodePoint);
      }
      return value;
    }
    const std::uint32_t high = parse_hex(4);
    if (high >= 0xD800 && high < 0xDC00 && take(U"\\u")) {
      const std::uint32_t low = parse_hex(4);
      return 0x10000 + ((high - 0xD800) << 10U) + ((low - 0xDC00) & 0x3FFU);
    }
    return high;
  }

  Charset parse_property(bool is_negative) {
    std::string name;
    if (take(U"{")) {
      while (!is_at_end() && peek() != U'}') {
        name += static_cast<char>(text_[at_++]);
      }
      take(U"}");
    } else if (!is_at_end()) {
      name = static_cast<char>(text_[at_++]);
    }
    Charset set;
    if (!unicode_class(name, set)) {
      fail("an unknown class of characters");
    }
    return is_negative ? set.complement() : set;
  }

  std::u32string text_;
  std::size_t at_ = 0;
  int groups_ = 0;
  int quantifiers_in_a_row_ = 0;
  bool ignores_case_ = false;
};

}  // namespace

PatternNode parse_pattern_syntax(std::string_view text) { return PatternParser(text).parse(); }

}  // namespace vernal::grammar
