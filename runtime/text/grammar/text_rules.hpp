// Answers that are one text: a regular expression or a list of choices.
#pragma once

#include <string>
#include <vector>

#include "text/grammar/automaton/rules.hpp"

namespace vernal::grammar {

/// One lexeme, and nothing else.
class TextRules : public Rules {
 public:
  explicit TextRules(Re text) : text_(text) {}

  void begin(HeadSink& sink) override { sink.head(sink.lexer().raw(text_), sink.intern({})); }
  void complete(FrameId, const LexState&, HeadSink& sink) override { sink.accept(); }

 private:
  Re text_;
};

/// The whole answer matches `pattern`.
/// Errors   GrammarError: a pattern that cannot be expressed, or that nothing matches
Re regex_text(RegexPool& pool, const std::string& pattern);

/// The answer is one of `choices`.
/// Errors   GrammarError: no choices, or one without text
Re choice_text(RegexPool& pool, const std::vector<std::string>& choices);

}  // namespace vernal::grammar
