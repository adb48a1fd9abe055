#include "engine/request/grammar_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/grammar/mask/vocabulary.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {
namespace {

using grammar::GrammarSource;

void add_text(const std::string& text, std::string& key) {
  key += fmt::format("\n{}:{}", text.size(), text);
}

void add_part(const grammar::CallPart& part, std::string& key) {
  key += fmt::format(" {}", static_cast<int>(part.kind));
  add_text(part.text, key);
}

void add_calls(const grammar::CallSource& calls, std::string& key) {
  const grammar::KeyedForm& keyed = calls.keyed;
  for (const grammar::CallPart& part : calls.preamble) add_part(part, key);
  add_part(calls.gap, key);
  key += fmt::format(" {} {} {}", calls.is_list, calls.gap_is_blank, static_cast<int>(calls.form));
  for (const std::string* const text :
       {&calls.open, &calls.close, &keyed.before_key, &keyed.before_value, &keyed.before_string,
        &keyed.after_value, &keyed.between, &keyed.string_mark, &keyed.element_mark}) {
    add_text(*text, key);
  }
  for (const grammar::TypedText& typed : keyed.before_typed) {
    key += fmt::format(" {}", typed.kinds);
    add_text(typed.text, key);
  }
  for (const std::string& mark : keyed.marks) add_text(mark, key);
  for (const grammar::CalledTool& tool : calls.tools) {
    key += fmt::format("\n{} {}", tool.parts.size(), tool.text_keys.size());
    add_text(tool.name, key);
    add_text(tool.schema, key);
    for (const grammar::CallPart& part : tool.parts) add_part(part, key);
    for (const std::string& text : tool.text_keys) add_text(text, key);
  }
}

// The same for two sources only if they are the same.
std::string key_of(const GrammarSource& source) {
  const grammar::GrammarOptions& options = source.options;
  std::string key = fmt::format(
      "{} {} {} {} {} {} {}\n{}", static_cast<int>(source.kind), static_cast<int>(options.order),
      static_cast<int>(options.additional), static_cast<int>(options.whitespace),
      static_cast<int>(options.numbers), options.strict, options.asserts_formats, source.text);
  for (const std::string& choice : source.choices) add_text(choice, key);
  if (source.kind == GrammarSource::Kind::kCalls) add_calls(source.calls, key);
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
