#include "text/grammar/text_rules.hpp"

#include <fmt/format.h>

#include "text/grammar/error.hpp"
#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {

Re regex_text(RegexPool& pool, const std::string& pattern) {
  const Pattern read = parse_pattern(pool, pattern, Anchoring::kWhole);
  if (!read.problem.empty()) {
    throw GrammarError("#", "regex", read.problem);
  }
  if (pool.is_nothing(read.re)) {
    throw GrammarError("#", "regex", "no text matches");
  }
  return read.re;
}

Re choice_text(RegexPool& pool, const std::vector<std::string>& choices) {
  std::vector<std::u32string> texts;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].empty()) {
      throw GrammarError(fmt::format("#/{}", i), "choices", "a choice has no text");
    }
    texts.push_back(to_code_points(choices[i]));
  }
  if (texts.empty()) {
    throw GrammarError("#", "choices", "there are no choices");
  }
  return pool.literals(std::move(texts));
}

}  // namespace vernal::grammar
