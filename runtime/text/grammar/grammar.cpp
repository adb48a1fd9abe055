#include "text/grammar/grammar.hpp"

#include <utility>

#include "text/grammar/calls/call_rules.hpp"
#include "text/grammar/error.hpp"
#include "text/grammar/gbnf/gbnf_rules.hpp"
#include "text/grammar/grammar_tables.hpp"
#include "text/grammar/text_rules.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kSearchesPerStep = 1'000'000;  // expressions, for all matchers together

}  // namespace

GrammarTables::GrammarTables(const GrammarSource& source,
                             std::shared_ptr<const GrammarVocabulary> vocabulary)
    : vocabulary_(std::move(vocabulary)) {
  try {
    make_rules(source);
  } catch (const RegexLimit&) {
    throw GrammarError("#", "", "the grammar is too large", VERNAL_RESOURCE_EXHAUSTED);
  } catch (const CaseLimit&) {
    throw GrammarError("#", "", "the grammar has too many cases", VERNAL_RESOURCE_EXHAUSTED);
  }
  for (const GrammarWarning& warning : warnings_.all()) {
    if (source.options.strict && warning.loss == Loss::kRelaxed) {
      throw GrammarError(warning.pointer, warning.keyword, warning.reason, VERNAL_UNSUPPORTED);
    }
  }
  pool_.allow_searches(kSearchesPerStep);
  start_epoch();
}

void GrammarTables::make_rules(const GrammarSource& source) {
  switch (source.kind) {
    case GrammarSource::Kind::kSchema: {
      const SchemaText schema{{}, source.text};
      auto json =
          std::make_unique<JsonRules>(std::span(&schema, 1), pool_, source.options, warnings_);
      keys_ = &json->keys();
      is_json_ = true;
      rules_ = std::move(json);
      return;
    }
    case GrammarSource::Kind::kRegex:
      rules_ = std::make_unique<TextRules>(regex_text(pool_, source.text));
      return;
    case GrammarSource::Kind::kChoices:
      rules_ = std::make_unique<TextRules>(choice_text(pool_, source.choices));
      return;
    case GrammarSource::Kind::kGbnf:
      rules_ = std::make_unique<GbnfRules>(source.text, pool_);
      return;
    case GrammarSource::Kind::kCalls: {
      auto calls = std::make_unique<CallRules>(source.calls, pool_, source.options, warnings_);
      keys_ = &calls->keys();
      rules_ = std::move(calls);
      return;
    }
  }
}

void GrammarTables::start_epoch() {
  epoch_ = std::make_shared<Epoch>(*rules_, pool_, keys_, !is_json_);
  if (vocabulary_) {
    epoch_->masks = std::make_unique<MaskTable>(epoch_->automaton, vocabulary_, keys_);
  }
}

CompiledGrammar::CompiledGrammar(const GrammarSource& source,
                                 std::shared_ptr<const GrammarVocabulary> vocabulary)
    : tables_(std::make_unique<GrammarTables>(source, std::move(vocabulary))) {}

CompiledGrammar::~CompiledGrammar() = default;

const std::vector<GrammarWarning>& CompiledGrammar::warnings() const noexcept {
  return tables_->warnings().all();
}

const GrammarVocabulary& CompiledGrammar::vocabulary() const noexcept {
  return *tables_->vocabulary();
}

}  // namespace vernal::grammar
