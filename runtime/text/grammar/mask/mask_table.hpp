// The tokens that may come next, state by state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "text/grammar/automaton/automaton.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/schema/key_language.hpp"

namespace vernal::grammar {

/// Masks of the states of one automaton over one vocabulary, made when they are first asked for.
///
/// A walk over all tokens would visit 400,000 nodes. So inside a long lexeme, such as a string, the
/// tokens that stay in it are found once for the lexeme, and the plain ones of them are known from
/// the vocabulary. Tokens that go beyond its end are kept with what follows the end. Only that is
/// walked through the rules, as it depends on where the lexeme stands.
/// Source   Dong et al. 2024, arXiv 2411.15100, for tokens that depend on the lexeme alone;
///          llguidance, docs/optimizations.md, for classes of plain tokens
/// Thread   that of the automaton
class MaskTable {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20U;  // of kept masks

  /// `keys` may be null, see Lexer.
  MaskTable(Automaton& automaton, std::shared_ptr<const GrammarVocabulary> vocabulary,
            KeyLanguage* keys);

  /// The words live until the next call.
  std::span<const std::uint32_t> mask(StateId state);
  /// Without looking at what is kept.
  void compute(StateId state, std::span<std::uint32_t> words);

 private:
  /// The tokens of a lexeme that has begun, as far as they do not depend on what follows it.
  struct LexemeMask {
    std::span<const std::uint32_t> plain;  // of the vocabulary
    std::vector<TokenId> tokens;           // that stay in the lexeme or end with it
    std::vector<std::uint32_t> words;      // the same, if they are many
    const TokenTrie* trie = nullptr;
    std::vector<std::pair<LexId, std::uint32_t>>
        ends;  // where it ends, and at which node of `trie`
  };
  struct StoredMask {
    std::vector<TokenId> tokens;
    std::vector<std::uint32_t> words;  // used if there are more than kMaxListed tokens
    bool is_known = false;
  };
  static constexpr std::size_t kMaxListed = 1'024;

  bool is_long(const LexState& lexeme) const;
  const LexemeMask& lexeme_mask(LexId lexeme);
  LexemeMask make_lexeme_mask(LexId lexeme);
  void add_counted_text(LexId lexeme, std::span<const FrameId> frames,
                        std::span<std::uint32_t> words);
  void add_lexeme(LexId lexeme, std::span<const FrameId> frames, std::span<std::uint32_t> words);
  void add_walk(const TokenTrie& trie, StateId start, std::span<std::uint32_t> words);
  void add_walk_below(const TokenTrie& trie, std::uint32_t node, StateId start,
                      std::span<std::uint32_t> words);
  void store(StateId state, std::span<const std::uint32_t> words);

  Automaton& automaton_;
  std::shared_ptr<const GrammarVocabulary> vocabulary_;
  KeyLanguage* keys_;
  std::vector<std::unique_ptr<LexemeMask>> lexeme_masks_;
  std::vector<StoredMask> stored_;
  std::size_t stored_bytes_ = 0;
  std::vector<std::uint32_t> words_;
  std::vector<std::uint32_t> stack_;
};

}  // namespace vernal::grammar
