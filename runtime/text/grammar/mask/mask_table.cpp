#include "text/grammar/mask/mask_table.hpp"

#include <algorithm>
#include <bit>
#include <map>
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
  std::size_t count = 0;
  for (const std::uint32_t word : words) {
    count += static_cast<std::size_t>(std::popcount(word));
  }
  StoredMask& stored = stored_[state];
  stored.is_known = true;
  if (count > kMaxListed) {
    stored.words.assign(words.begin(), words.end());
  } else {
    stored.tokens.reserve(count);
    for (std::size_t i = 0; i < words.size(); ++i) {
      for (std::uint32_t word = words[i]; word != 0; word &= word - 1) {
        stored.tokens.push_back(
            static_cast<TokenId>(i * 32 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
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

void MaskTable::add_lexeme(LexId lexeme, std::span<const FrameId> frames,
                           std::span<std::uint32_t> words) {
  const LexemeMask& mask = lexeme_mask(lexeme);
  for (const std::span<const std::uint32_t> part : {mask.plain, std::span(mask.words)}) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      words[i] |= part[i];
    }
  }
  for (const TokenId token : mask.tokens) {
    set_bit(words, token);
  }
  for (const LexemeMask::Ending& ending : mask.endings) {
    const StateId after = automaton_.state_after(ending.end, frames);
    if (after != kDeadState) {
      add_walk(*ending.rest, after, words);
    }
  }
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
  const bool is_any_text = is_key ? keys_->is_only_unnamed(state.re) && keys_->is_open(state.re)
                                  : is_string && state.re == kAnyText;
  if (is_any_text) {
    mask.plain = vocabulary_->in_string();
    LexemeMask::Ending ending;
    ending.end = lexer.next(lexeme, '"');
    ending.rest = &vocabulary_->after_quote();
    if (ending.end != kDeadLex) {
      mask.endings.push_back(std::move(ending));
    }
    return mask;
  }
  const TokenTrie* trie = &vocabulary_->all();
  const bool is_open_key = is_key && keys_->is_open(state.re);
  if (is_open_key || (is_string && lexer.pool().is_counted_text(state.re))) {
    mask.plain = vocabulary_->plain(is_open_key ? kUnlimited : lexer.pool().max_count(state.re));
    trie = &vocabulary_->not_plain();
  }
  std::vector<std::pair<LexId, std::uint32_t>> ends;  // with the node that they end at
  trie->walk(
      lexeme, stack_, [&](LexId from, std::uint8_t byte) { return lexer.next(from, byte); },
      [&](const TokenTrie::Node& node, std::uint32_t index, LexId at) {
        const std::span<const TokenId> tokens = trie->tokens_at(node);
        mask.tokens.insert(mask.tokens.end(), tokens.begin(), tokens.end());
        if (node.end > index + 1 && lexer.accepts(at)) {
          ends.emplace_back(at, index);
        }
        return lexer[at].kind != LexKind::kClosed;
      });
  if (mask.tokens.size() > kMaxListed) {
    mask.words.assign(vocabulary_->num_words(), 0);
    for (const TokenId token : mask.tokens) {
      set_bit(mask.words, token);
    }
    mask.tokens = {};
  }
  make_endings(ends, *trie, mask);
  return mask;
}

// What follows the same end in all tokens becomes one trie.
void MaskTable::make_endings(const std::vector<std::pair<LexId, std::uint32_t>>& ends,
                             const TokenTrie& trie, LexemeMask& mask) {
  std::map<LexId, std::vector<TokenTrie::Entry>> rests;
  for (const auto& [end, index] : ends) {
    const TokenTrie::Node& at = trie.nodes()[index];
    for (std::uint32_t i = index + 1; i < at.end; ++i) {
      for (const TokenId token : trie.tokens_at(trie.nodes()[i])) {
        rests[end].emplace_back(vocabulary_->bytes(token).substr(at.depth), token);
      }
    }
  }
  for (auto& [end, entries] : rests) {
    LexemeMask::Ending ending;
    ending.end = end;
    ending.owned = std::make_unique<TokenTrie>(std::move(entries));
    ending.rest = ending.owned.get();
    mask.endings.push_back(std::move(ending));
  }
}

}  // namespace vernal::grammar
