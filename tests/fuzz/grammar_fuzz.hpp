// What the fuzz targets of grammars share: an input is a grammar, a zero byte, and an answer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {

inline std::shared_ptr<const GrammarVocabulary> fuzz_vocabulary() {
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes.emplace_back(1, static_cast<char>(byte));
  }
  for (const char* text :
       {"\"a", "a\":", "\",\"", "\"}", "}]", "{\"", "[\"", "true", "12", "1.5", ", ", "\n  ", "abc",
        "\\u00", "\\ud83d\\u", "\xC3", "\xE4\xBD", "((", ")+"}) {
    bytes.emplace_back(text);
  }
  return std::make_shared<const GrammarVocabulary>(std::move(bytes), std::vector<TokenId>{}, 300);
}

/// Compiles, follows the answer as far as it goes, then goes where the masks say. Aborts if a token of
/// a mask is refused, or one that is accepted is not in it.
inline int fuzz_grammar(GrammarSource source, std::string_view answer) {
  static const std::shared_ptr<const GrammarVocabulary> vocabulary = fuzz_vocabulary();
  try {
    CompiledGrammar grammar(source, vocabulary);
    Matcher matcher(grammar);
    for (std::size_t i = 0; i < answer.size() && i < 200; ++i) {
      if (!matcher.accept_bytes(answer.substr(i, 1))) {
        break;
      }
      matcher.forced_text();
    }
    std::uint32_t seed = static_cast<std::uint32_t>(answer.size()) * 77U + 1U;
    for (int step = 0; step < 6; ++step) {
      const std::span<const std::uint32_t> words = matcher.mask();
      const std::vector<std::uint32_t> mask(words.begin(), words.end());
      std::vector<TokenId> allowed;
      for (TokenId token = 0; token < 275; ++token) {
        Matcher alone = matcher;
        const auto index = static_cast<std::size_t>(token);
        const bool is_in_mask = (mask[index / 32] >> (index % 32) & 1U) != 0;
        if (is_in_mask != alone.accept(token)) {
          std::abort();
        }
        if (is_in_mask) {
          allowed.push_back(token);
        }
      }
      if (allowed.empty()) {
        break;
      }
      seed = seed * 1'664'525U + 1'013'904'223U;
      matcher.accept(allowed[(seed >> 8U) % allowed.size()]);
    }
  } catch (const GrammarError&) {
    return 0;  // the expected end of most inputs
  }
  return 0;
}

inline GrammarSource fuzz_source(GrammarSource::Kind kind, std::string_view input,
                                 std::string_view& answer) {
  const std::size_t separator = std::min(input.find('\0'), input.size());
  answer = input.substr(std::min(separator + 1, input.size()));
  GrammarSource source;
  source.kind = kind;
  source.text = input.substr(0, separator);
  return source;
}

}  // namespace vernal::grammar
