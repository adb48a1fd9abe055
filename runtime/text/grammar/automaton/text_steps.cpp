#include "text/grammar/automaton/text_steps.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace vernal::grammar {
namespace {

bool is_high_surrogate(std::uint32_t unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(std::uint32_t unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

int hex_value(std::uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  const int letter = byte | 32;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// The character of a short escape; 0 if there is none.
char short_escape(std::uint8_t byte) noexcept {
  switch (byte) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '/':
      return static_cast<char>(byte);
    default:
      return 0;
  }
}

/// Whether a literal spells this character with \u.
bool is_literal_escape(std::uint32_t code_point) noexcept {
  return code_point >= 0x7F ||
         (code_point < 0x20 && !(code_point >= 8 && code_point <= 13 && code_point != 11));
}

}  // namespace

LexState TextSteps::next(const LexState& from, std::uint8_t byte) {
  switch (from.kind) {
    case LexKind::kQuote:
      return byte == '"' ? content(from, from.re) : kDead;
    case LexKind::kRaw:
      return byte < 0x80 ? after(from, byte, false) : lead(from, byte);
    case LexKind::kContent:
      return step_content(from, byte);
    case LexKind::kEscape:
      return step_escape(from, byte);
    case LexKind::kHex:
    case LexKind::kLowSlash:
    case LexKind::kLowU:
    case LexKind::kLowHex:
      return step_hex(from, byte);
    case LexKind::kTail:
    case LexKind::kPartial:
      return step_tail(from, byte);
    case LexKind::kDead:
    case LexKind::kWord:
    case LexKind::kGap:
    case LexKind::kClosed:
      return kDead;
  }
  return kDead;
}

LexState TextSteps::content(const LexState& from, Re re) {
  if (re == kNothing) {
    return kDead;
  }
  LexState to;
  to.kind = from.is_raw || from.kind == LexKind::kRaw ? LexKind::kRaw : LexKind::kContent;
  to.spelling = from.spelling;
  to.re = re;
  return to;
}

LexState TextSteps::after(const LexState& from, std::uint32_t code_point, bool is_free) {
  Re re = pool_.next(from.re, code_point);
  if (is_free && re != kNothing && from.spelling == Spelling::kKey) {
    re = keys_->spelled_freely(re);
  }
  return content(from, re);
}

LexState TextSteps::step_content(const LexState& from, std::uint8_t byte) {
  if (byte == '"') {
    if (!pool_.is_nullable(from.re)) {
      return kDead;
    }
    LexState to;
    to.kind = LexKind::kClosed;
    to.re = from.re;
    return to;
  }
  if (byte == '\\') {
    LexState to = from;
    to.kind = LexKind::kEscape;
    if (from.spelling == Spelling::kFree) {
      return escape_lives(from, 0, kMaxCodePoint) ? to : kDead;
    }
    for (const char letter : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u'}) {
      if (step_escape(to, static_cast<std::uint8_t>(letter)) != kDead) {
        return to;
      }
    }
    return kDead;
  }
  if (byte < 0x20) {
    return kDead;
  }
  return byte < 0x80 ? after(from, byte, false) : lead(from, byte);
}

LexState TextSteps::step_escape(const LexState& from, std::uint8_t byte) {
  if (byte == 'u') {
    LexState to = from;
    to.kind = LexKind::kHex;
    to.count = 4;
    to.data = 0;
    return escape_lives(from, 0, kMaxCodePoint) ? to : kDead;
  }
  const char character = short_escape(byte);
  if (character == 0 || (byte == '/' && from.spelling == Spelling::kLiteral)) {
    return kDead;
  }
  return after(from, static_cast<std::uint8_t>(character), byte == '/');
}

LexState TextSteps::step_hex(const LexState& from, std::uint8_t byte) {
  LexState to = from;
  if (from.kind == LexKind::kLowSlash) {
    to.kind = LexKind::kLowU;
    return byte == '\\' ? to : kDead;
  }
  if (from.kind == LexKind::kLowU) {
    to.kind = LexKind::kLowHex;
    to.count = 4;
    to.data = from.data << 16U;
    return byte == 'u' ? to : kDead;
  }
  const int digit = hex_value(byte);
  if (digit < 0) {
    return kDead;
  }
  const bool is_low = from.kind == LexKind::kLowHex;
  const std::uint32_t high = is_low ? from.data >> 16U : 0;
  const std::uint32_t value = ((from.data & 0xFFFFU) << 4U) | static_cast<std::uint32_t>(digit);
  to.count = static_cast<std::uint8_t>(from.count - 1);
  to.data = (high << 16U) | value;
  // The characters that may still come of it.
  const unsigned open = to.count * 4U;
  std::uint32_t first = value << open;
  std::uint32_t last = first | ((1U << open) - 1U);
  if (is_low) {
    if (last < 0xDC00 || first > 0xDFFF) {
      return kDead;
    }
    const std::uint32_t base = 0x10000 + ((high - 0xD800) << 10U);
    first = base + (std::max(first, 0xDC00U) - 0xDC00);
    last = base + (std::min(last, 0xDFFFU) - 0xDC00);
    if (to.count == 0) {
      return after(from, first, false);
    }
    return escape_lives(from, first, last) ? to : kDead;
  }
  if (to.count == 0 && is_high_surrogate(value)) {
    to.kind = LexKind::kLowSlash;
    const std::uint32_t base = 0x10000 + ((value - 0xD800) << 10U);
    return escape_lives(from, base, base + 0x3FF) ? to : kDead;
  }
  if (to.count == 0) {
    const bool is_wrong = is_low_surrogate(value) ||
                          (from.spelling == Spelling::kLiteral && !is_literal_escape(value));
    return is_wrong ? kDead : after(from, value, !is_literal_escape(value));
  }
  const bool holds_pairs = first < 0xDC00 && last >= 0xD800;
  const bool lives = escape_lives(from, first, last) ||
                     (holds_pairs && escape_lives(from, 0x10000, kMaxCodePoint));
  return lives ? to : kDead;
}

// Whether a character from `first` to `last` may be written with \u. A literal is written so where
// it must be, or beyond ASCII; a key that is written so elsewhere is none of those that are named.
bool TextSteps::escape_lives(const LexState& from, std::uint32_t first, std::uint32_t last) {
  Re only = kNothing;
  if (from.spelling == Spelling::kFree) {
    return lives_within(from.re, first, last, only);
  }
  const bool is_literal =
      (last >= 0x7F && lives_within(from.re, std::max(first, 0x7FU), last, only)) ||
      (first < 0x20 && lives_within(from.re, first, std::min(last, 0x1FU), only));
  if (is_literal || from.spelling == Spelling::kLiteral) {
    return is_literal;
  }
  const Re freely = keys_->spelled_freely(from.re);
  return freely != kNothing && lives_within(freely, first, last, only);
}

bool TextSteps::lives_within(Re re, std::uint32_t first, std::uint32_t last, Re& only) {
  const std::span<const RegexStep> steps = pool_.steps(re);
  auto step = std::lower_bound(
      steps.begin(), steps.end(), first,
      [](const RegexStep& each, std::uint32_t value) { return each.last < value; });
  only = step->next;
  bool lives = false;
  bool is_one = true;
  for (; step != steps.end(); ++step) {
    lives = lives || step->next != kNothing;
    is_one = is_one && step->next == only;
    if (step->last >= last) {
      break;
    }
  }
  only = is_one ? only : kNothing;
  return lives;
}

LexState TextSteps::lead(const LexState& from, std::uint8_t byte) {
  if (byte >= 0xC2 && byte < 0xE0) {
    return partial(from, byte & 0x1FU, 1, 2);
  }
  if (byte >= 0xE0 && byte < 0xF0) {
    return partial(from, byte & 0x0FU, 2, 3);
  }
  return byte >= 0xF0 && byte < 0xF5 ? partial(from, byte & 0x07U, 3, 4) : kDead;
}

LexState TextSteps::partial(const LexState& from, std::uint32_t bits, unsigned count,
                            unsigned length) {
  constexpr std::array<std::uint32_t, 5> kFirst{0, 0, 0x80, 0x800, 0x10000};
  const std::uint32_t lowest = bits << (6U * count);
  const std::uint32_t highest = lowest | ((1U << (6U * count)) - 1U);
  const std::uint32_t first = std::max(lowest, kFirst[length]);
  const std::uint32_t last = std::min(highest, kMaxCodePoint);
  if (first > last || (first >= 0xD800 && last < 0xE000)) {
    return kDead;
  }
  Re only = kNothing;
  if (!lives_within(from.re, first, last, only)) {
    return kDead;
  }
  LexState to;
  to.spelling = from.spelling;
  to.is_raw = from.is_raw || from.kind == LexKind::kRaw;
  to.count = static_cast<std::uint8_t>(count);
  const bool is_full = first == lowest && last == highest && (last < 0xD800 || first >= 0xE000);
  if (only != kNothing && is_full) {
    to.kind = LexKind::kTail;
    to.re = only;
  } else {
    to.kind = LexKind::kPartial;
    to.length = static_cast<std::uint8_t>(length);
    to.re = from.re;
    to.data = bits;
  }
  return to;
}

LexState TextSteps::step_tail(const LexState& from, std::uint8_t byte) {
  if ((byte & 0xC0U) != 0x80U) {
    return kDead;
  }
  if (from.kind == LexKind::kTail) {
    if (from.count == 1) {
      return content(from, from.re);
    }
    LexState to = from;
    --to.count;
    return to;
  }
  const std::uint32_t bits = (from.data << 6U) | (byte & 0x3FU);
  return from.count == 1 ? after(from, bits, false)
                         : partial(from, bits, from.count - 1U, from.length);
}

}  // namespace vernal::grammar
