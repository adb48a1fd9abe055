// Grammars: what the text of an answer may be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "text/grammar/calls/call_source.hpp"
#include "text/grammar/options.hpp"
#include "text/grammar/warning.hpp"

namespace vernal::grammar {

class GrammarTables;
class GrammarVocabulary;

/// What a client asks an answer to fit.
struct GrammarSource {
  enum class Kind : std::uint8_t {
    kSchema,   ///< `text` is a JSON Schema
    kRegex,    ///< `text` is a regular expression of ECMAScript; it matches the whole answer
    kGbnf,     ///< `text` is a grammar in GBNF, whose rule "root" is the answer
    kChoices,  ///< the answer is one of `choices`
    kCalls,    ///< the answer is `calls`
  };

  Kind kind = Kind::kSchema;
  std::string text;
  std::vector<std::string> choices;
  CallSource calls;
  GrammarOptions options;
};

/// A grammar that answers can be held to. It is compiled once and shared by any number of matchers.
/// Compiling reads the source; what it means is worked out while answers are matched, and kept for
/// the next ones.
/// Thread   one at a time: a grammar and all its matchers are of one thread
class CompiledGrammar {
 public:
  /// The time is in proportion to the source. Without a vocabulary, matchers follow bytes alone.
  /// Errors   GrammarError: the source is wrong, nothing fits it, or it is strict and something
  ///          would have to be relaxed
  explicit CompiledGrammar(const GrammarSource& source,
                           std::shared_ptr<const GrammarVocabulary> vocabulary = nullptr);
  ~CompiledGrammar();
  CompiledGrammar(const CompiledGrammar&) = delete;
  CompiledGrammar& operator=(const CompiledGrammar&) = delete;

  /// What answers may break all the same, and what they are held to beyond need.
  const std::vector<GrammarWarning>& warnings() const noexcept;
  /// Of a grammar that was given one.
  const GrammarVocabulary& vocabulary() const noexcept;

 private:
  friend class Matcher;

  std::unique_ptr<GrammarTables> tables_;
};

}  // namespace vernal::grammar
