#include "text/grammar/automaton/lexer.hpp"

#include <algorithm>

namespace vernal::grammar {
namespace {

constexpr std::uint32_t kMaxBlanks = 64;
constexpr std::uint32_t kAfterSpace = 1;
constexpr std::uint32_t kAfterReturn = 2;
constexpr std::uint32_t kAfterLine = 3;  // + the number of blanks

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

Lexer::Lexer(RegexPool& pool, KeySpelling* keys) : pool_(pool), keys_(keys) { intern({}); }

LexId Lexer::word(std::string_view text) {
  const auto [known, is_new] =
      word_ids_.emplace(std::string(text), static_cast<std::uint32_t>(words_.size()));
  if (is_new) {
    words_.emplace_back(text);
  }
  LexState state;
  state.kind = LexKind::kWord;
  state.re = known->second;
  return intern(state);
}

LexId Lexer::gap() {
  LexState state;
  state.kind = LexKind::kGap;
  return intern(state);
}

LexId Lexer::raw(Re re) {
  if (pool_.is_nothing(re)) {
    return kDeadLex;
  }
  LexState state;
  state.kind = LexKind::kRaw;
  state.re = re;
  return intern(state);
}

LexId Lexer::quoted(Re re, Spelling spelling) {
  LexState state;
  state.kind = LexKind::kQuote;
  state.spelling = spelling;
  state.re = re;
  return intern(state);
}

LexId Lexer::content_of(Re re) {
  LexState state;
  state.kind = LexKind::kContent;
  state.re = re;
  return intern(state);
}

bool Lexer::accepts(LexId id) const {
  const LexState& state = states_[id];
  switch (state.kind) {
    case LexKind::kWord:
      return state.data == words_[state.re].size();
    case LexKind::kGap:
      return state.data == kAfterSpace || state.data >= kAfterLine;
    case LexKind::kRaw:
      return pool_.is_nullable(state.re);
    case LexKind::kClosed:
      return true;
    default:
      return false;
  }
}

bool Lexer::is_finished(LexId id) {
  const LexState state = states_[id];
  switch (state.kind) {
    case LexKind::kWord:
      return state.data == words_[state.re].size();
    case LexKind::kGap:
      return state.data == kAfterSpace || state.data == kAfterLine + kMaxBlanks;
    case LexKind::kRaw: {
      const std::span<const RegexStep> steps = pool_.steps(state.re);
      return std::all_of(steps.begin(), steps.end(),
                         [](const RegexStep& step) { return step.next == kNothing; });
    }
    case LexKind::kClosed:
      return true;
    default:
      return false;
  }
}

std::size_t Lexer::bytes() const noexcept {
  return states_.size() * (sizeof(LexState) + sizeof(void*)) + rows_.size() * sizeof(Row);
}

const ByteSet& Lexer::live_bytes(LexId id) {
  if (live_bytes_.size() <= id) {
    live_bytes_.resize(std::max<std::size_t>(id + 1, states_.size()));
  }
  if (!live_bytes_[id]) {
    auto live = std::make_unique<ByteSet>();
    live->fill(0);
    if (states_[id].kind == LexKind::kWord) {  // one byte, and no row for it
      const LexState state = states_[id];
      if (state.data < words_[state.re].size()) {
        const auto byte = static_cast<std::uint8_t>(words_[state.re][state.data]);
        (*live)[byte / 64] |= std::uint64_t{1} << (byte % 64);
      }
    } else {
      for (unsigned byte = 0; byte < 256; ++byte) {
        const bool lives = next(id, static_cast<std::uint8_t>(byte)) != kDeadLex;
        (*live)[byte / 64] |= std::uint64_t{lives} << (byte % 64);
      }
    }
    live_bytes_.resize(std::max<std::size_t>(live_bytes_.size(), states_.size()));
    live_bytes_[id] = std::move(live);
  }
  return *live_bytes_[id];
}

LexId Lexer::adopt(const Lexer& other, LexId id) {
  LexState state = other.states_[id];
  if (state.kind == LexKind::kWord) {
    const std::uint32_t read = state.data;
    state = states_[word(other.words_[state.re])];
    state.data = read;
  }
  return intern(state);
}

void Lexer::add_row(LexId id) {
  if (rows_.size() <= id) {
    rows_.resize(std::max<std::size_t>(id + 1, states_.size()));
  }
  rows_[id] = std::make_unique<Row>();
  rows_[id]->fill(kUnknown);
}

LexId Lexer::step(LexId from_id, std::uint8_t byte) {
  const LexState from = states_[from_id];
  try {
    switch (from.kind) {
      case LexKind::kWord:
        return step_word(from, byte);
      case LexKind::kGap:
        return step_gap(from, byte);
      case LexKind::kQuote:
        return byte == '"' ? content(from, from.re) : kDeadLex;
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
      case LexKind::kClosed:
        return kDeadLex;
    }
  } catch (const RegexLimit&) {
    return kDeadLex;
  }
  return kDeadLex;
}

LexId Lexer::step_word(LexState from, std::uint8_t byte) {
  const std::string& text = words_[from.re];
  if (from.data >= text.size() || static_cast<std::uint8_t>(text[from.data]) != byte) {
    return kDeadLex;
  }
  ++from.data;
  return intern(from);
}

LexId Lexer::step_gap(const LexState& from, std::uint8_t byte) {
  LexState to = from;
  if (from.data == 0 && byte == ' ') {
    to.data = kAfterSpace;
  } else if (from.data == 0 && byte == '\r') {
    to.data = kAfterReturn;
  } else if ((from.data == 0 || from.data == kAfterReturn) && byte == '\n') {
    to.data = kAfterLine;
  } else if (from.data >= kAfterLine && from.data < kAfterLine + kMaxBlanks &&
             (byte == ' ' || byte == '\t')) {
    ++to.data;
  } else {
    return kDeadLex;
  }
  return intern(to);
}

LexId Lexer::content(const LexState& from, Re re) {
  if (re == kNothing) {
    return kDeadLex;
  }
  LexState to;
  to.kind = from.is_raw || from.kind == LexKind::kRaw ? LexKind::kRaw : LexKind::kContent;
  to.spelling = from.spelling;
  to.re = re;
  return intern(to);
}

LexId Lexer::after(const LexState& from, std::uint32_t code_point, bool is_free) {
  Re re = pool_.next(from.re, code_point);
  if (is_free && re != kNothing && from.spelling == Spelling::kKey) {
    re = keys_->spelled_freely(re);
  }
  return content(from, re);
}

LexId Lexer::step_content(const LexState& from, std::uint8_t byte) {
  if (byte == '"') {
    if (!pool_.is_nullable(from.re)) {
      return kDeadLex;
    }
    LexState to;
    to.kind = LexKind::kClosed;
    to.re = from.re;
    return intern(to);
  }
  if (byte == '\\') {
    LexState to = from;
    to.kind = LexKind::kEscape;
    if (from.spelling == Spelling::kFree) {
      return escape_lives(from, 0, kMaxCodePoint) ? intern(to) : kDeadLex;
    }
    for (const char letter : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u'}) {
      if (step_escape(to, static_cast<std::uint8_t>(letter)) != kDeadLex) {
        return intern(to);
      }
    }
    return kDeadLex;
  }
  if (byte < 0x20) {
    return kDeadLex;
  }
  return byte < 0x80 ? after(from, byte, false) : lead(from, byte);
}

LexId Lexer::step_escape(const LexState& from, std::uint8_t byte) {
  if (byte == 'u') {
    LexState to = from;
    to.kind = LexKind::kHex;
    to.count = 4;
    to.data = 0;
    return escape_lives(from, 0, kMaxCodePoint) ? intern(to) : kDeadLex;
  }
  const char character = short_escape(byte);
  if (character == 0 || (byte == '/' && from.spelling == Spelling::kLiteral)) {
    return kDeadLex;
  }
  return after(from, static_cast<std::uint8_t>(character), byte == '/');
}

LexId Lexer::step_hex(const LexState& from, std::uint8_t byte) {
  LexState to = from;
  if (from.kind == LexKind::kLowSlash) {
    to.kind = LexKind::kLowU;
    return byte == '\\' ? intern(to) : kDeadLex;
  }
  if (from.kind == LexKind::kLowU) {
    to.kind = LexKind::kLowHex;
    to.count = 4;
    to.data = from.data << 16U;
    return byte == 'u' ? intern(to) : kDeadLex;
  }
  const int digit = hex_value(byte);
  if (digit < 0) {
    return kDeadLex;
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
      return kDeadLex;
    }
    const std::uint32_t base = 0x10000 + ((high - 0xD800) << 10U);
    first = base + (std::max(first, 0xDC00U) - 0xDC00);
    last = base + (std::min(last, 0xDFFFU) - 0xDC00);
    if (to.count == 0) {
      return after(from, first, false);
    }
    return escape_lives(from, first, last) ? intern(to) : kDeadLex;
  }
  if (to.count == 0 && is_high_surrogate(value)) {
    to.kind = LexKind::kLowSlash;
    const std::uint32_t base = 0x10000 + ((value - 0xD800) << 10U);
    return escape_lives(from, base, base + 0x3FF) ? intern(to) : kDeadLex;
  }
  if (to.count == 0) {
    const bool is_wrong = is_low_surrogate(value) ||
                          (from.spelling == Spelling::kLiteral && !is_literal_escape(value));
    return is_wrong ? kDeadLex : after(from, value, !is_literal_escape(value));
  }
  const bool holds_pairs = first < 0xDC00 && last >= 0xD800;
  const bool lives = escape_lives(from, first, last) ||
                     (holds_pairs && escape_lives(from, 0x10000, kMaxCodePoint));
  return lives ? intern(to) : kDeadLex;
}

// Whether a character from `first` to `last` may be written with \u. A literal is written so where
// it must be, or beyond ASCII; a key that is written so elsewhere is none of those that are named.
bool Lexer::escape_lives(const LexState& from, std::uint32_t first, std::uint32_t last) {
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

bool Lexer::lives_within(Re re, std::uint32_t first, std::uint32_t last, Re& only) {
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

LexId Lexer::lead(const LexState& from, std::uint8_t byte) {
  if (byte >= 0xC2 && byte < 0xE0) {
    return partial(from, byte & 0x1FU, 1, 2);
  }
  if (byte >= 0xE0 && byte < 0xF0) {
    return partial(from, byte & 0x0FU, 2, 3);
  }
  return byte >= 0xF0 && byte < 0xF5 ? partial(from, byte & 0x07U, 3, 4) : kDeadLex;
}

LexId Lexer::partial(const LexState& from, std::uint32_t bits, unsigned count, unsigned length) {
  constexpr std::array<std::uint32_t, 5> kFirst{0, 0, 0x80, 0x800, 0x10000};
  const std::uint32_t lowest = bits << (6U * count);
  const std::uint32_t highest = lowest | ((1U << (6U * count)) - 1U);
  const std::uint32_t first = std::max(lowest, kFirst[length]);
  const std::uint32_t last = std::min(highest, kMaxCodePoint);
  if (first > last || (first >= 0xD800 && last < 0xE000)) {
    return kDeadLex;
  }
  Re only = kNothing;
  if (!lives_within(from.re, first, last, only)) {
    return kDeadLex;
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
  return intern(to);
}

LexId Lexer::step_tail(const LexState& from, std::uint8_t byte) {
  if ((byte & 0xC0U) != 0x80U) {
    return kDeadLex;
  }
  if (from.kind == LexKind::kTail) {
    if (from.count == 1) {
      return content(from, from.re);
    }
    LexState to = from;
    --to.count;
    return intern(to);
  }
  const std::uint32_t bits = (from.data << 6U) | (byte & 0x3FU);
  return from.count == 1 ? after(from, bits, false)
                         : partial(from, bits, from.count - 1U, from.length);
}

}  // namespace vernal::grammar
