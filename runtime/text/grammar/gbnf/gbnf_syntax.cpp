#include "text/grammar/gbnf/gbnf_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {
namespace {

using GbnfKind = GbnfNode::Kind;

constexpr int kMaxGbnfGroups = 100;  // one in another
constexpr std::uint32_t kMaxRepetitions = 1'000'000;

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(to_code_points(text)) { rule_id("root"); }

  std::vector<GbnfRule> parse() {
    skip_blanks(true);
    while (!is_at_end()) {
      parse_rule();
      skip_blanks(true);
    }
    for (const GbnfRule& rule : rules_) {
      if (rule.line == 0) {
        fail(fmt::format("the rule \"{}\" is used and not defined", rule.name));
      }
    }
    return std::move(rules_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw GrammarError(fmt::format("line {}", line_), "gbnf", what);
  }

  bool is_at_end() const { return at_ >= text_.size(); }
  char32_t peek() const { return is_at_end() ? U'\0' : text_[at_]; }
  char32_t take() {
    if (is_at_end()) {
      fail("the grammar ends too early");
    }
    line_ += text_[at_] == U'\n' ? 1 : 0;
    return text_[at_++];
  }
  bool take_if(char32_t letter) {
    if (is_at_end() || peek() != letter) {
      return false;
    }
    take();
    return true;
  }

  void skip_blanks(bool may_end_line) {
    while (!is_at_end()) {
      const char32_t letter = peek();
      if (letter == U'#') {
        while (!is_at_end() && peek() != U'\n') {
          take();
        }
      } else if (letter == U' ' || letter == U'\t' || letter == U'\r' ||
                 (may_end_line && letter == U'\n')) {
        take();
      } else {
        return;
      }
    }
  }

  static bool is_name(char32_t letter) {
    return (letter >= U'a' && letter <= U'z') || (letter >= U'A' && letter <= U'Z') ||
           (letter >= U'0' && letter <= U'9') || letter == U'-' || letter == U'_';
  }

  std::string parse_name() {
    std::string name;
    while (is_name(peek())) {
      name += static_cast<char>(take());
    }
    if (name.empty()) {
      fail("a rule's name is expected");
    }
    return name;
  }

  std::uint32_t rule_id(const std::string& name) {
    const auto [known, is_new] = ids_.emplace(name, static_cast<std::uint32_t>(rules_.size()));
    if (is_new) {
      rules_.emplace_back().name = name;
    }
    return known->second;
  }

  void parse_rule() {
    const std::uint32_t line = line_;
    const std::uint32_t id = rule_id(parse_name());
    skip_blanks(false);
    if (!take_if(U':') || !take_if(U':') || !take_if(U'=')) {
      fail("\"::=\" is expected");
    }
    if (rules_[id].line != 0) {
      fail(fmt::format("the rule \"{}\" is defined twice", rules_[id].name));
    }
    skip_blanks(true);
    GbnfNode body = parse_choice(false);
    rules_[id].body = std::move(body);
    rules_[id].line = line;
    if (!is_at_end() && peek() != U'\n') {
      fail("the end of the line is expected");
    }
  }

  GbnfNode parse_choice(bool in_group) {
    GbnfNode choice;
    choice.kind = GbnfKind::kChoice;
    do {
      skip_blanks(true);
      choice.parts.push_back(parse_sequence(in_group));
    } while (take_bar(in_group));
    return choice.parts.size() == 1 ? std::move(choice.parts[0]) : choice;
  }

  /// The next line may begin with a bar.
  bool take_bar(bool in_group) {
    const std::size_t at = at_;
    const std::uint32_t line = line_;
    skip_blanks(true);
    if (take_if(U'|')) {
      return true;
    }
    if (!in_group) {
      at_ = at;
      line_ = line;
    }
    return false;
  }

  GbnfNode parse_sequence(bool in_group) {
    GbnfNode sequence;
    for (skip_blanks(in_group); !is_at_end(); skip_blanks(in_group)) {
      const char32_t letter = peek();
      if (letter != U'"' && letter != U'[' && letter != U'(' && letter != U'.' &&
          !is_name(letter)) {
        break;
      }
      parse_item(sequence);
    }
    return sequence;
  }

  void parse_item(GbnfNode& sequence) {
    const std::size_t before = sequence.parts.size();
    switch (peek()) {
      case U'"':
        parse_literal(sequence);
        break;
      case U'[':
        sequence.parts.push_back(set_node(parse_set()));
        break;
      case U'.':
        take();
        sequence.parts.push_back(set_node(Charset::all()));
        break;
      case U'(': {
        take();
        if (++groups_ > kMaxGbnfGroups) {
          fail("groups are nested too deeply");
        }
        GbnfNode group = parse_choice(true);
        skip_blanks(true);
        if (!take_if(U')')) {
          fail("\")\" is expected");
        }
        --groups_;
        sequence.parts.push_back(std::move(group));
        break;
      }
      default: {
        GbnfNode call;
        call.kind = GbnfKind::kRule;
        call.rule = rule_id(parse_name());
        sequence.parts.push_back(std::move(call));
      }
    }
    parse_repetition(sequence, before);
  }

  static GbnfNode set_node(Charset set) {
    GbnfNode node;
    node.kind = GbnfKind::kSet;
    node.set = std::move(set);
    return node;
  }

  void parse_literal(GbnfNode& sequence) {
    take();
    while (peek() != U'"' || is_at_end()) {
      sequence.parts.push_back(set_node(Charset::of(parse_character())));
    }
    take();
  }

  std::uint32_t parse_character() {
    const char32_t letter = take();
    if (letter != U'\\') {
      return letter;
    }
    const char32_t escape = take();
    switch (escape) {
      case U'n':
        return U'\n';
      case U'r':
        return U'\r';
      case U't':
        return U'\t';
      case U'x':
        return parse_hex(2);
      case U'u':
        return parse_hex(4);
      case U'U':
        return parse_hex(8);
      default:
        return escape;
    }
  }

  std::uint32_t parse_hex(int digits) {
    std::uint64_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t letter = take();
      const char32_t lower = letter | 32U;
      if (letter >= U'0' && letter <= U'9') {
        value = value * 16 + (letter - U'0');
      } else if (lower >= U'a' && lower <= U'f') {
        value = value * 16 + (lower - U'a' + 10);
      } else {
        fail("a hexadecimal digit is expected");
      }
    }
    if (value > kMaxCodePoint) {
      fail("there is no such character");
    }
    return static_cast<std::uint32_t>(value);
  }

  Charset parse_set() {
    take();
    const bool is_negative = take_if(U'^');
    std::vector<CodeRange> ranges;
    while (peek() != U']' || is_at_end()) {
      const std::uint32_t first = parse_character();
      std::uint32_t last = first;
      if (peek() == U'-' && at_ + 1 < text_.size() && text_[at_ + 1] != U']') {
        take();
        last = parse_character();
      }
      if (last < first) {
        fail("a range is out of order");
      }
      ranges.push_back({first, last});
    }
    take();
    const Charset set(std::move(ranges));
    return is_negative ? set.complement() : set;
  }

  bool parse_counts(std::uint32_t& min, std::uint32_t& max) {
    if (take_if(U'*') || take_if(U'+') || take_if(U'?')) {
      const char32_t letter = text_[at_ - 1];
      min = letter == U'+' ? 1 : 0;
      max = letter == U'?' ? 1 : kUnlimited;
      return true;
    }
    if (!take_if(U'{')) {
      return false;
    }
    skip_blanks(false);
    min = peek() == U',' ? 0 : parse_count();
    max = min;
    skip_blanks(false);
    if (take_if(U',')) {
      skip_blanks(false);
      max = peek() == U'}' ? kUnlimited : parse_count();
      skip_blanks(false);
    }
    if (!take_if(U'}') || min > max) {
      fail("a repetition is {m}, {m,} or {m,n}");
    }
    return true;
  }

  std::uint32_t parse_count() {
    std::uint64_t value = 0;
    if (peek() < U'0' || peek() > U'9') {
      fail("a number is expected");
    }
    while (peek() >= U'0' && peek() <= U'9') {
      value = value * 10 + (take() - U'0');
      if (value > kMaxRepetitions) {
        fail(fmt::format("more than {} repetitions", kMaxRepetitions));
      }
    }
    return static_cast<std::uint32_t>(value);
  }

  /// A literal is repeated as a whole.
  void parse_repetition(GbnfNode& sequence, std::size_t before) {
    std::uint32_t min = 0;
    std::uint32_t max = 0;
    int depth = 0;
    while (parse_counts(min, max)) {
      if (++depth > 8) {
        fail("too many repetitions in a row");
      }
      GbnfNode body;
      const auto first = sequence.parts.begin() + static_cast<std::ptrdiff_t>(before);
      body.parts.assign(std::make_move_iterator(first),
                        std::make_move_iterator(sequence.parts.end()));
      sequence.parts.erase(first, sequence.parts.end());
      GbnfNode repeat;
      repeat.kind = GbnfKind::kRepeat;
      repeat.min = min;
      repeat.max = max;
      repeat.parts.push_back(std::move(body));
      sequence.parts.push_back(std::move(repeat));
    }
  }

  std::u32string text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  int groups_ = 0;
  std::vector<GbnfRule> rules_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

}  // namespace

std::vector<GbnfRule> parse_gbnf(std::string_view text) { return GbnfParser(text).parse(); }

}  // namespace vernal::grammar
