#include "engine/request/grammar_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/grammar/mask/vocabulary.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {
namespace {

using grammar::GrammarSource;

// The same for two sources only if they are the same.
std::string key_of(const GrammarSource& source) {
  const grammar::GrammarOptions& options = source.options;
  std::string key = fmt::format(
      "{} {} {} {} {} {} {}\n{}", static_cast<int>(source.kind), static_cast<int>(options.order),
      static_cast<int>(options.additional), static_cast<int>(options.whitespace),
      static_cast<int>(options.numbers), options.strict, options.asserts_formats, source.text);
  for (const std::string& choice : source.choices) {
    key += fmt::format("\n{}:{}", choice.size(), choice);
  }
  return key;
}

}  // namespace

GrammarStore::Entry GrammarStore::get(const GrammarSource& source) {
  std::string key = key_of(source);
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(kept_, key, &Kept::key);
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return found->entry;
  }
  if (vocabulary_ == nullptr) {
    vocabulary_ = grammar::GrammarVocabulary::of(tokenizer_, tokenizer_.size());
  }
  Entry entry{std::make_shared<grammar::CompiledGrammar>(source, vocabulary_), {}};
  entry.warnings = entry.grammar->warnings();
  kept_.push_front({std::move(key), entry});
  if (kept_.size() > kMostKept) kept_.pop_back();
  return entry;
}

}  // namespace vernal
