// How the text of a lexeme goes on.
#pragma once

#include <cstdint>

#include "text/grammar/automaton/lex_state.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// Tells a leaf language of keys that a character was spelled in a way that its own texts are not.
class KeySpelling {
 public:
  virtual ~KeySpelling() = default;
  virtual Re spelled_freely(Re key) = 0;
};

/// The steps of a lexer through raw text and JSON strings. Escapes and UTF-8 are decoded, so that
/// lengths, patterns and complements hold for every spelling. A surrogate counts only as a half of
/// a pair.
/// Thread   one
class TextSteps {
 public:
  /// `keys` may be null if no string is spelled as a key.
  TextSteps(RegexPool& pool, KeySpelling* keys) : pool_(pool), keys_(keys) {}

  /// The state after `from` and `byte`; dead if no text goes on so. `from` is no word and no gap.
  /// Errors   RegexLimit
  LexState next(const LexState& from, std::uint8_t byte);

 private:
  static constexpr LexState kDead{};

  LexState step_content(const LexState& from, std::uint8_t byte);
  LexState step_escape(const LexState& from, std::uint8_t byte);
  LexState step_hex(const LexState& from, std::uint8_t byte);
  LexState step_tail(const LexState& from, std::uint8_t byte);
  LexState lead(const LexState& from, std::uint8_t byte);
  /// A character of `length` bytes of which `count` are to come.
  LexState partial(const LexState& from, std::uint32_t bits, unsigned count, unsigned length);
  /// After a whole character.
  LexState after(const LexState& from, std::uint32_t code_point, bool is_free);
  LexState content(const LexState& from, Re re);
  bool escape_lives(const LexState& from, std::uint32_t first, std::uint32_t last);
  bool lives_within(Re re, std::uint32_t first, std::uint32_t last, Re& only);

  RegexPool& pool_;
  KeySpelling* keys_;
};

}  // namespace vernal::grammar
