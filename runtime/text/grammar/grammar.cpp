#include "text/grammar/grammar.hpp"

#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar_tables.hpp"

namespace vernal::grammar {

GrammarTables::GrammarTables(const GrammarSource& source) {
  try {
    auto json = std::make_unique<JsonRules>(source.text, pool_, source.options, warnings_);
    json_ = json.get();
    rules_ = std::move(json);
  } catch (const RegexLimit&) {
    throw GrammarError("#", "", "the grammar is too large", VERNAL_RESOURCE_EXHAUSTED);
  } catch (const CaseLimit&) {
    throw GrammarError("#", "", "the grammar has too many cases", VERNAL_RESOURCE_EXHAUSTED);
  }
  if (source.options.strict && !warnings_.all().empty()) {
    const GrammarWarning& first = warnings_.all().front();
    throw GrammarError(first.pointer, first.keyword, first.reason, VERNAL_UNSUPPORTED);
  }
  automaton_ = std::make_shared<Automaton>(*rules_, pool_, keys());
}

void GrammarTables::keep_small() {
  if (automaton_->bytes() > kMaxBytes) {
    automaton_ = std::make_shared<Automaton>(*rules_, pool_, keys());
  }
}

CompiledGrammar::CompiledGrammar(const GrammarSource& source)
    : tables_(std::make_unique<GrammarTables>(source)) {}

CompiledGrammar::~CompiledGrammar() = default;

const std::vector<GrammarWarning>& CompiledGrammar::warnings() const noexcept {
  return tables_->warnings().all();
}

}  // namespace vernal::grammar
