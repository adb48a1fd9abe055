// A grammar in GBNF as rules of the automaton.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "text/grammar/automaton/rules.hpp"
#include "text/grammar/gbnf/gbnf_syntax.hpp"

namespace vernal::grammar {

/// Context-free grammars. What does not refer to itself becomes one expression; the rest is followed
/// with frames, of which equal ones are shared, so that ambiguity costs no more than it must. A rule
/// that begins with itself is turned into a repetition.
class GbnfRules : public Rules {
 public:
  /// Errors   those of parse_gbnf; GrammarError: a rule that begins with itself by way of another
  ///          one, a grammar without an answer
  GbnfRules(std::string_view text, RegexPool& pool);

  void begin(HeadSink& sink) override;
  void complete(FrameId frame, const LexState& lexeme, HeadSink& sink) override;

 private:
  enum FrameKind : std::uint16_t {
    kEnd,
    kAt,    // in sequence `spec`, before step `count`
    kLoop,  // repetition `spec`, after `count` rounds
  };
  struct Step {
    enum class Kind : std::uint8_t { kText, kChoice, kRepeat };
    Kind kind = Kind::kText;
    Re text = kNothing;
    std::vector<std::uint32_t> sequences;  // one for kRepeat
    std::uint32_t min = 0;
    std::uint32_t max = 0;
    std::uint32_t rule = kUnlimited;  // whose sequences these are, once it is compiled
  };
  using Sequence = std::vector<Step>;

  static constexpr std::size_t kMaxFrames = 20'000;  // followed without a character in between

  void find_productive();
  bool is_productive(const GbnfNode& node) const;
  void find_plain_rules();
  bool is_plain(const GbnfNode& node) const;
  Re plain(const GbnfNode& node);
  std::uint32_t compile_sequence(const GbnfNode& node);
  std::vector<std::uint32_t> compile_branches(const GbnfNode& node);
  Step compile_step(const GbnfNode& node);
  const std::vector<std::uint32_t>& sequences_of(std::uint32_t rule);

  void follow(FrameId start, HeadSink& sink);
  void follow_sequence(const Frame& frame, HeadSink& sink);
  void follow_loop(const Frame& frame, HeadSink& sink);
  void follow_parents(const Frame& frame, HeadSink& sink);

  RegexPool& pool_;
  std::vector<GbnfRule> rules_;
  std::vector<char> is_productive_;  // by rule, like the next one
  std::vector<Re> plain_rules_;      // kUnlimited: the rule is followed with frames
  std::vector<Sequence> sequences_;
  std::vector<Step> loops_;
  std::vector<std::vector<std::uint32_t>> rule_sequences_;
  std::vector<char> is_compiled_;
  std::vector<FrameId> waiting_;
  std::set<FrameId> seen_;
};

}  // namespace vernal::grammar
