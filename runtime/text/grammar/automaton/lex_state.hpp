// A place in a lexeme.
#pragma once

#include <cstdint>

#include "text/grammar/interner.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

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

}  // namespace vernal::grammar
