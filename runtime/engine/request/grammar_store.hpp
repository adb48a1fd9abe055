// The grammars that the requests of one model have asked for.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "text/grammar/grammar.hpp"

namespace vernal {

class Tokenizer;

namespace grammar {
class GrammarVocabulary;
}

/// Compiles grammars and keeps the newest, for requests that ask for the same again: what a grammar
/// has learned of its states and masks stays with it. Any thread. The grammars themselves are the
/// engine thread's, once they were handed out.
class GrammarStore {
 public:
  /// Grammars that are kept.
  static constexpr std::size_t kMostKept = 32;

  struct Entry {
    std::shared_ptr<grammar::CompiledGrammar> grammar;
    std::vector<grammar::GrammarWarning> warnings;
  };

  /// The tokenizer outlives the object. Its vocabulary is prepared when the first grammar is wanted.
  explicit GrammarStore(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// Errors   GrammarError
  Entry get(const grammar::GrammarSource& source);

 private:
  struct Kept {
    std::string key;
    Entry entry;
  };

  const Tokenizer& tokenizer_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const grammar::GrammarVocabulary> vocabulary_;
  std::list<Kept> kept_;  // the newest first
};

}  // namespace vernal
