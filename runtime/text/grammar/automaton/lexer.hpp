// Lexemes, byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar/interner.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// The number of a state of the lexer. 0 is dead.
using LexId = std::uint32_t;
inline constexpr LexId kDeadLex = 0;

enum class Spelling : std::uint8_t {
  kFree,     ///< a JSON string with every escape
  kLiteral,  ///< ASCII raw unless it must be escaped; others raw or \uXXXX
  kKey,      ///< free, but the leaf language is told at the first free escape
};

enum class LexKind : std::uint8_t {
  kDead,
  kWord,   ///< `re`: the word's number, `data`: bytes read
  kGap,    ///< whitespace between lexemes; `data`: 1 after a space, n + 2 after n blanks of a line
  kRaw,    ///< UTF-8 text
  kQuote,  ///< before the opening quote of a string
  kContent,   ///< in a string
  kClosed,    ///< after its closing quote; `re`: what was left of its language
  kEscape,    ///< after a backslash
  kHex,       ///< in \uXXXX; `count` digits to come, `data`: their value so far
  kLowSlash,  ///< after a high surrogate, `data`, before the low one's backslash
  kLowU,      ///< before its u
  kLowHex,    ///< in its digits; `data`: high · 65536 + value so far
  kTail,      ///< `count` bytes of a character to come, whatever they are
  kPartial,  ///< `count` bytes of a character to come, `data`: its bits so far, `length` bytes in all
};

struct LexState {
  LexKind kind = LexKind::kDead;
  Spelling spelling = Spelling::kFree;
  bool is_raw = false;  ///< kTail and kPartial: of kRaw
  std::uint8_t count = 0;
  std::uint8_t length = 0;
  Re re = kNothing;
  std::uint32_t data = 0;

  bool operator==(const LexState&) const = default;
  friend std::uint64_t hash_of(const LexState& s) noexcept {
    const std::uint64_t flags = (static_cast<std::uint64_t>(s.kind) << 32U) |
                                (static_cast<std::uint64_t>(s.spelling) << 24U) |
                                (std::uint64_t{s.is_raw} << 16U) | (std::uint64_t{s.count} << 8U) |
                                s.length;
    return mix_hash(mix_hash(flags, s.re), s.data);
  }
};

/// Which bytes may come next.
using ByteSet = std::array<std::uint64_t, 4>;

inline bool has_byte(const ByteSet& set, std::uint8_t byte) noexcept {
  return (set[byte / 64] >> (byte % 64) & 1U) != 0;
}

/// Tells a leaf language of keys that a character was spelled in a way that its own texts are not.
class KeySpelling {
 public:
  virtual ~KeySpelling() = default;
  virtual Re spelled_freely(Re key) = 0;
};

/// A deterministic automaton over bytes, built as it is walked. In JSON strings it decodes escapes
/// and UTF-8, so that lengths, patterns and complements hold for every spelling. A surrogate counts
/// only as a half of a pair.
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
  LexId step_content(const LexState& from, std::uint8_t byte);
  LexId step_escape(const LexState& from, std::uint8_t byte);
  LexId step_hex(const LexState& from, std::uint8_t byte);
  LexId step_tail(const LexState& from, std::uint8_t byte);
  LexId lead(const LexState& from, std::uint8_t byte);
  /// A character of `length` bytes of which `count` are to come.
  LexId partial(const LexState& from, std::uint32_t bits, unsigned count, unsigned length);
  /// After a whole character.
  LexId after(const LexState& from, std::uint32_t code_point, bool is_free);
  LexId content(const LexState& from, Re re);
  bool escape_lives(const LexState& from, std::uint32_t first, std::uint32_t last);
  bool lives_within(Re re, std::uint32_t first, std::uint32_t last, Re& only);

  RegexPool& pool_;
  KeySpelling* keys_;
  bool raw_is_long_ = false;
  Interner<LexState> states_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::vector<std::unique_ptr<ByteSet>> live_bytes_;
  std::vector<std::string> words_;
  std::unordered_map<std::string, std::uint32_t> word_ids_;
};

}  // namespace vernal::grammar
