// Lexemes, byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar/automaton/lex_state.hpp"
#include "text/grammar/automaton/text_steps.hpp"
#include "text/grammar/interner.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// The number of a state of the lexer. 0 is dead.
using LexId = std::uint32_t;
inline constexpr LexId kDeadLex = 0;

/// Which bytes may come next.
using ByteSet = std::array<std::uint64_t, 4>;

inline bool has_byte(const ByteSet& set, std::uint8_t byte) noexcept {
  return (set[byte / 64] >> (byte % 64) & 1U) != 0;
}

/// A deterministic automaton over bytes, built as it is walked. TextSteps says how texts go on.
/// Thread   one
class Lexer {
 public:
  /// `keys` may be null if no string is spelled as a key.
  Lexer(RegexPool& pool, KeySpelling* keys);

  LexId word(std::string_view text);
  LexId gap();
  LexId raw(Re re);
  LexId quoted(Re re, Spelling spelling);
  /// In a freely spelled string, of which `re` is to come.
  LexId content_of(Re re);

  LexId next(LexId from, std::uint8_t byte) {
    if (states_[from].kind == LexKind::kWord) {
      return step_word(states_[from], byte);
    }
    Row& row = *row_of(from);
    if (row[byte] == kUnknown) {
      const LexId to = step(from, byte);
      (*row_of(from))[byte] = to;
      return to;
    }
    return row[byte];
  }
  const LexState& operator[](LexId id) const noexcept { return states_[id]; }
  /// The bytes that next() does not die of.
  const ByteSet& live_bytes(LexId id);
  /// A state of another lexer over the same pool.
  LexId adopt(const Lexer& other, LexId id);
  /// Whether a lexeme may end here.
  bool accepts(LexId id) const;
  /// Whether nothing can follow in this lexeme.
  bool is_finished(LexId id);
  std::size_t bytes() const noexcept;

  RegexPool& pool() noexcept { return pool_; }
  /// Whether lexemes outside strings may be long texts, and not numbers alone.
  bool raw_is_long() const noexcept { return raw_is_long_; }
  void set_raw_is_long() noexcept { raw_is_long_ = true; }

 private:
  using Row = std::array<LexId, 256>;
  static constexpr LexId kUnknown = 0xFFFFFFFFU;

  Row* row_of(LexId id) {
    if (rows_.size() <= id || !rows_[id]) {
      add_row(id);
    }
    return rows_[id].get();
  }
  void add_row(LexId id);
  LexId intern(const LexState& state) { return states_.intern(state).first; }

  LexId step(LexId from, std::uint8_t byte);
  LexId step_word(LexState from, std::uint8_t byte);
  LexId step_gap(const LexState& from, std::uint8_t byte);

  RegexPool& pool_;
  TextSteps text_;
  bool raw_is_long_ = false;
  Interner<LexState> states_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::vector<std::unique_ptr<ByteSet>> live_bytes_;
  std::vector<std::string> words_;
  std::unordered_map<std::string, std::uint32_t> word_ids_;
};

}  // namespace vernal::grammar
