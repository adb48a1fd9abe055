#include "text/grammar/mask/mask_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace vernal::grammar {

MaskTable::MaskTable(Automaton& automaton, std::shared_ptr<const GrammarVocabulary> vocabulary,
                     KeyLanguage* keys)
    : automaton_(automaton),
      vocabulary_(std::move(vocabulary)),
      keys_(keys),
      words_(vocabulary_->num_words(), 0) {}

std::span<const std::uint32_t> MaskTable::mask(StateId state) {
  if (state < stored_.size() && stored_[state].is_known) {
    const StoredMask& stored = stored_[state];
    if (!stored.words.empty()) {
      return stored.words;
    }
    std::fill(words_.begin(), words_.end(), 0);
    for (const TokenId token : stored.tokens) {
      set_bit(words_, token);
    }
    return words_;
  }
  std::fill(words_.begin(), words_.end(), 0);
  compute(state, words_);
  store(state, words_);
  return words_;
}

void MaskTable::store(StateId state, std::span<const std::uint32_t> words) {
  if (stored_bytes_ > kMaxBytes) {
    stored_.clear();
    stored_bytes_ = 0;
  }
  if (stored_.size() <= state) {
    stored_.resize(state + 1);
  }
  StoredMask& stored = stored_[state];
  stored.is_known = true;
  for (std::size_t i = 0; i < words.size() && stored.tokens.size() <= kMaxListed; ++i) {
    for (std::uint32_t word = words[i]; word != 0; word &= word - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(word));
      stored.tokens.push_back(static_cast<TokenId>(i * 32 + bit));
    }
  }
  if (stored.tokens.size() > kMaxListed) {
    stored.tokens = {};
    stored.words.assign(words.begin(), words.end());
  } else {
    stored.tokens.shrink_to_fit();
  }
  stored_bytes_ += stored.words.size() * 4 + stored.tokens.size() * 4;
}

// Strings of a schema's own texts, and keys that it names, are short ways through the trie: they are
// walked like punctuation.
bool MaskTable::is_long(const LexState& lexeme) const {
  if (lexeme.kind == LexKind::kRaw) {
    return automaton_.lexer().raw_is_long();
  }
  if (lexeme.kind != LexKind::kContent || lexeme.spelling == Spelling::kLiteral) {
    return false;
  }
  return lexeme.spelling != Spelling::kKey || keys_->has_unnamed(lexeme.re);
}

void MaskTable::compute(StateId state, std::span<std::uint32_t> words) {
  std::vector<Head> short_ones;
  std::vector<FrameId> frames;
  const std::size_t count = automaton_.num_heads(state);
  for (std::size_t i = 0; i < count;) {
    const Head head = automaton_.head_of(state, i);
    if (!is_long(automaton_.lexer()[head.lexeme])) {
      short_ones.push_back(head);
      ++i;
      continue;
    }
    frames.clear();
    for (; i < count && automaton_.head_of(state, i).lexeme == head.lexeme; ++i) {
      frames.push_back(automaton_.head_of(state, i).frame);
    }
    add_lexeme(head.lexeme, frames, words);
  }
  if (!short_ones.empty()) {
    const bool is_all = short_ones.size() == count;
    add_walk(vocabulary_->all(), is_all ? state : automaton_.state_of(std::move(short_ones)),
             words);
  }
  if (automaton_.accepts(state)) {
    for (const TokenId token : vocabulary_->end_tokens()) {
      set_bit(words, token);
    }
  }
}

void MaskTable::add_walk(const TokenTrie& trie, StateId start, std::span<std::uint32_t> words) {
  trie.walk(
      start, stack_, [&](StateId from, std::uint8_t byte) { return automaton_.next(from, byte); },
      [&](const TokenTrie::Node& node, std::uint32_t, StateId) {
        for (const TokenId token : trie.tokens_at(node)) {
          set_bit(words, token);
        }
        return true;
      });
}

// Strings that are limited in their length alone: the vocabulary knows their tokens.
void MaskTable::add_counted_text(LexId lexeme, std::span<const FrameId> frames,
                                 std::span<std::uint32_t> words) {
  Lexer& lexer = automaton_.lexer();
  const Re re = lexer[lexeme].re;
  const bool is_counted = lexer.pool().is_counted_text(re);
  const std::uint32_t min = is_counted ? lexer.pool().min_count(re) : 0;
  const std::uint32_t max = is_counted ? lexer.pool().max_count(re) : kUnlimited;
  vocabulary_->add_in_string(max, words);
  vocabulary_->add_closing(min, max, words);
  // Where the string ends does not matter to what follows it.
  LexId end = lexeme;
  if (is_counted) {
    end = lexer.content_of(kAnyText);
  }
  const StateId after = automaton_.state_after(lexer.next(end, '"'), frames);
  if (after == kDeadState) {
    return;
  }
  if (min == 0 && max >= GrammarVocabulary::kMaxCounted) {
    add_walk(vocabulary_->after_any_quote(), after, words);
    return;
  }
  const std::span<const TokenTrie> tries = vocabulary_->after_quote();
  for (std::size_t count = min; count < tries.size() && count <= max; ++count) {
    add_walk(tries[count], after, words);
  }
}

void MaskTable::add_lexeme(LexId lexeme, std::span<const FrameId> frames,
                           std::span<std::uint32_t> words) {
  const LexState state = automaton_.lexer()[lexeme];
  const bool is_string = state.kind == LexKind::kContent;
  const bool is_key = is_string && state.spelling == Spelling::kKey;
  const bool is_any_key = is_key && keys_->is_only_unnamed(state.re) && keys_->is_open(state.re);
  const bool is_counted = is_string && !is_key &&
                          automaton_.lexer().pool().is_counted_text(state.re) &&
                          (state.re == kAnyText || !vocabulary_->has_late_quotes());
  if (is_any_key || is_counted) {
    add_counted_text(lexeme, frames, words);
    return;
  }
  const LexemeMask& mask = lexeme_mask(lexeme);
  for (const std::span<const std::uint32_t> part : {mask.plain, std::span(mask.words)}) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      words[i] |= part[i];
    }
  }
  for (const TokenId token : mask.tokens) {
    set_bit(words, token);
  }
  LexId end = kDeadLex;
  StateId after = kDeadState;
  for (const auto& [lexeme_end, node] : mask.ends) {
    if (lexeme_end != end) {
      end = lexeme_end;
      after = automaton_.state_after(end, frames);
    }
    if (after != kDeadState) {
      add_walk_below(*mask.trie, node, after, words);
    }
  }
}

void MaskTable::add_walk_below(const TokenTrie& trie, std::uint32_t index, StateId start,
                               std::span<std::uint32_t> words) {
  trie.walk_below(
      index, start, stack_,
      [&](StateId from, std::uint8_t byte) { return automaton_.next(from, byte); },
      [&](const TokenTrie::Node& node, std::uint32_t, StateId) {
        for (const TokenId token : trie.tokens_at(node)) {
          set_bit(words, token);
        }
        return true;
      });
}

const MaskTable::LexemeMask& MaskTable::lexeme_mask(LexId lexeme) {
  if (lexeme_masks_.size() <= lexeme) {
    lexeme_masks_.resize(lexeme + 1);
  }
  if (!lexeme_masks_[lexeme]) {
    auto made = std::make_unique<LexemeMask>(make_lexeme_mask(lexeme));
    lexeme_masks_[lexeme] = std::move(made);
  }
  return *lexeme_masks_[lexeme];
}

MaskTable::LexemeMask MaskTable::make_lexeme_mask(LexId lexeme) {
  Lexer& lexer = automaton_.lexer();
  const LexState state = lexer[lexeme];
  LexemeMask mask;
  const bool is_string = state.kind == LexKind::kContent;
  const bool is_key = is_string && state.spelling == Spelling::kKey;
  const TokenTrie* trie = &vocabulary_->all();
  if (is_key && keys_->is_open(state.re)) {
    mask.plain = vocabulary_->plain();
    trie = &vocabulary_->not_plain();
  }
  mask.trie = trie;
  trie->walk(
      lexeme, stack_, [&](LexId from, std::uint8_t byte) { return lexer.next(from, byte); },
      [&](const TokenTrie::Node& node, std::uint32_t index, LexId at) {
        const std::span<const TokenId> tokens = trie->tokens_at(node);
        mask.tokens.insert(mask.tokens.end(), tokens.begin(), tokens.end());
        const LexKind kind = lexer[at].kind;
        const bool may_end =
            kind == LexKind::kClosed || (kind == LexKind::kRaw && lexer.accepts(at));
        if (may_end && node.end > index + 1) {
          mask.ends.emplace_back(at, index);
        }
        return kind != LexKind::kClosed;
      });
  std::sort(mask.ends.begin(), mask.ends.end());
  if (mask.tokens.size() > kMaxListed) {
    mask.words.assign(vocabulary_->num_words(), 0);
    for (const TokenId token : mask.tokens) {
      set_bit(mask.words, token);
    }
    mask.tokens = {};
  }
  return mask;
}

}  // namespace vernal::grammar
