#include "text/grammar/automaton/lexer.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace vernal::grammar {
namespace {

constexpr std::uint32_t kMaxBlanks = 64;
constexpr std::uint32_t kAfterSpace = 1;
constexpr std::uint32_t kAfterReturn = 2;
constexpr std::uint32_t kAfterLine = 3;  // + the number of blanks

}  // namespace

Lexer::Lexer(RegexPool& pool, KeySpelling* keys) : pool_(pool), text_(pool, keys) { intern({}); }

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
  switch (from.kind) {
    case LexKind::kWord:
      return step_word(from, byte);
    case LexKind::kGap:
      return step_gap(from, byte);
    default:
      break;
  }
  try {
    return intern(text_.next(from, byte));
  } catch (const RegexLimit&) {
    return kDeadLex;
  }
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

}  // namespace vernal::grammar
