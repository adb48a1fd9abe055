#include "text/grammar/automaton/automaton.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace vernal::grammar {

Automaton::Automaton(Rules& rules, RegexPool& pool, KeySpelling* keys)
    : rules_(rules), lexer_(pool, keys) {
  states_.intern({0});  // the dead state
  sets_.intern({});
  grow_steps();
  begin_state();
  rules_.begin(*this);
  start_ = finish_state();
}

void Automaton::begin_state() {
  heads_.clear();
  ended_.clear();
  accepts_ = false;
}

void Automaton::head(LexId lexeme, FrameId frame) {
  if (lexeme == kDeadLex || heads_.size() >= kMaxHeads) {
    return;
  }
  const Head made{lexeme, frame};
  if (lexer_.accepts(lexeme) && std::find(ended_.begin(), ended_.end(), made) == ended_.end()) {
    ended_.push_back(made);
  }
  if (!lexer_.is_finished(lexeme)) {
    heads_.push_back(made);
  }
}

void Automaton::head_of_parents(LexId lexeme, const Frame& frame) {
  const std::vector<std::uint32_t> parents = sets_[frame.parents];
  for (const FrameId parent : parents) {
    head(lexeme, parent);
  }
}

// Heads that differ in their parents alone become one.
void Automaton::merge_heads() {
  std::sort(heads_.begin(), heads_.end());
  heads_.erase(std::unique(heads_.begin(), heads_.end()), heads_.end());
  if (heads_.size() < 2) {
    return;
  }
  const auto core = [&](const Head& head) {
    Frame frame = frames_[head.frame];
    frame.parents = 0;
    return frame;
  };
  std::vector<Head> merged;
  std::vector<bool> is_done(heads_.size(), false);
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    if (is_done[i]) {
      continue;
    }
    Frame frame = core(heads_[i]);
    std::vector<std::uint32_t> parents = sets_[frames_[heads_[i].frame].parents];
    std::size_t count = 1;
    for (std::size_t j = i + 1; j < heads_.size() && heads_[j].lexeme == heads_[i].lexeme; ++j) {
      if (!is_done[j] && core(heads_[j]) == frame) {
        const std::vector<std::uint32_t>& more = sets_[frames_[heads_[j].frame].parents];
        parents.insert(parents.end(), more.begin(), more.end());
        is_done[j] = true;
        ++count;
      }
    }
    if (count == 1) {
      merged.push_back(heads_[i]);
      continue;
    }
    std::sort(parents.begin(), parents.end());
    parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
    frame.parents = sets_.intern(std::move(parents)).first;
    merged.push_back({heads_[i].lexeme, frames_.intern(frame).first});
  }
  std::sort(merged.begin(), merged.end());
  heads_ = std::move(merged);
}

StateId Automaton::finish_state() {
  // Ends of lexemes are followed until no new one is found: empty lexemes may end at once.
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    const Head ended = ended_[i];
    const LexState lexeme = lexer_[ended.lexeme];
    rules_.complete(ended.frame, lexeme, *this);
  }
  merge_heads();
  if (heads_.empty() && !accepts_) {
    return kDeadState;
  }
  std::vector<std::uint32_t> key{accepts_ ? 1U : 0U};
  key.reserve(1 + heads_.size() * 2);
  for (const Head& head : heads_) {
    key.push_back(head.lexeme);
    key.push_back(head.frame);
  }
  return states_.intern(std::move(key)).first;
}

StateId Automaton::step(StateId from, std::uint8_t byte) {
  begin_state();
  const std::size_t count = num_heads(from);
  for (std::size_t i = 0; i < count; ++i) {
    const Head begun = head_of(from, i);
    head(lexer_.next(begun.lexeme, byte), begun.frame);
  }
  return finish_state();
}

StateId& Automaton::slot_of(std::uint64_t key) {
  const std::size_t mask = steps_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(mix_hash(0, key)) & mask;
  while (steps_[slot].key != 0 && steps_[slot].key != key) {
    slot = (slot + 1) & mask;
  }
  steps_[slot].key = key;
  return steps_[slot].to;
}

void Automaton::grow_steps() {
  std::vector<Step> old(steps_.empty() ? 1024 : steps_.size() * 2);
  old.swap(steps_);
  for (const Step& step : old) {
    if (step.key != 0) {
      slot_of(step.key) = step.to;
    }
  }
}

StateId Automaton::find_next(StateId from, std::uint8_t byte) {
  if (rows_.size() <= from) {
    rows_.resize(std::max<std::size_t>(from + 1, states_.size()));
  }
  if (!rows_[from].row && ++rows_[from].num_steps >= kStepsBeforeRow) {
    add_row(from);
  }
  StateId to = kDeadState;
  if (has_byte(live_bytes(from), byte)) {
    const std::uint64_t key = (std::uint64_t{from} << 8U) | byte;
    to = slot_of(key);
    if (to == kDeadState) {
      to = step(from, byte);
      slot_of(key) = to;
      if (++num_steps_ * 2 > steps_.size()) {
        grow_steps();
      }
    }
  }
  if (rows_[from].row) {
    (*rows_[from].row)[byte] = to;
  }
  return to;
}

void Automaton::add_row(StateId state) {
  const ByteSet live = live_bytes(state);
  rows_[state].row = std::make_unique<Row>();
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool lives = has_byte(live, static_cast<std::uint8_t>(byte));
    (*rows_[state].row)[byte] = lives ? kUnknownState : kDeadState;
  }
  ++num_rows_;
}

const ByteSet& Automaton::live_bytes(StateId state) {
  if (live_bytes_.size() <= state) {
    live_bytes_.resize(std::max<std::size_t>(state + 1, states_.size()));
    has_live_bytes_.resize(live_bytes_.size(), false);
  }
  if (!has_live_bytes_[state]) {
    ByteSet live{};
    const std::size_t count = num_heads(state);
    for (std::size_t i = 0; i < count; ++i) {
      const ByteSet& of_lexeme = lexer_.live_bytes(head_of(state, i).lexeme);
      for (std::size_t w = 0; w < live.size(); ++w) {
        live[w] |= of_lexeme[w];
      }
    }
    live_bytes_[state] = live;
    has_live_bytes_[state] = true;
  }
  return live_bytes_[state];
}

StateId Automaton::state_of(std::vector<Head> heads) {
  begin_state();
  heads_ = std::move(heads);
  return finish_state();
}

StateId Automaton::state_after(LexId lexeme, std::span<const FrameId> frames) {
  begin_state();
  for (const FrameId frame : frames) {
    ended_.push_back({lexeme, frame});
  }
  return finish_state();
}

// A frame is made after its parents, so in the order of numbers parents come first.
FrameId Automaton::adopt_frame(const Automaton& other, FrameId frame) {
  std::set<FrameId> needed{frame};
  for (auto at = needed.rbegin(); at != needed.rend(); ++at) {
    const std::vector<std::uint32_t>& parents = other.sets_[other.frames_[*at].parents];
    needed.insert(parents.begin(), parents.end());
  }
  std::map<FrameId, FrameId> made;
  for (const FrameId old : needed) {
    Frame copy = other.frames_[old];
    std::vector<std::uint32_t> parents;
    for (const FrameId parent : other.sets_[copy.parents]) {
      parents.push_back(made.at(parent));
    }
    std::sort(parents.begin(), parents.end());
    copy.parents = sets_.intern(std::move(parents)).first;
    made[old] = frames_.intern(copy).first;
  }
  return made.at(frame);
}

StateId Automaton::adopt(const Automaton& other, StateId state) {
  std::vector<Head> heads;
  for (std::size_t i = 0; i < other.num_heads(state); ++i) {
    const Head begun = other.head_of(state, i);
    heads.push_back({lexer_.adopt(other.lexer_, begun.lexeme), adopt_frame(other, begun.frame)});
  }
  std::sort(heads.begin(), heads.end());
  std::vector<std::uint32_t> key{other.states_[state][0]};
  for (const Head& head : heads) {
    key.push_back(head.lexeme);
    key.push_back(head.frame);
  }
  return states_.intern(std::move(key)).first;
}

std::size_t Automaton::bytes() const noexcept {
  return lexer_.bytes() + frames_.size() * (sizeof(Frame) + 8) + states_.size() * 100 +
         steps_.size() * sizeof(Step) + live_bytes_.size() * sizeof(ByteSet) +
         num_rows_ * sizeof(Row);
}

}  // namespace vernal::grammar
