// The automaton over bytes behind a grammar.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "text/grammar/automaton/rules.hpp"

namespace vernal::grammar {

/// The number of a state of an Automaton.
using StateId = std::uint32_t;
inline constexpr StateId kDeadState = 0;

/// One way in which the text may go on: a lexeme that has begun, and what comes after it.
struct Head {
  LexId lexeme = kDeadLex;
  FrameId frame = kNoFrame;
  auto operator<=>(const Head&) const = default;
};

/// A state is the set of all heads; equal sets are one state, so what is known of one is known of
/// both. States and the steps between them are made when they are first reached, and kept.
/// Thread   one
class Automaton : private HeadSink {
 public:
  /// Both must outlive it. `keys` may be null, see Lexer.
  Automaton(Rules& rules, RegexPool& pool, KeySpelling* keys);
  Automaton(const Automaton&) = delete;
  Automaton& operator=(const Automaton&) = delete;

  StateId start() const noexcept { return start_; }
  /// kDeadState if no text goes on with `byte`.
  StateId next(StateId from, std::uint8_t byte) {
    if (from < rows_.size() && rows_[from].row) {
      const StateId known = (*rows_[from].row)[byte];
      if (known != kUnknownState) {
        return known;
      }
    }
    return find_next(from, byte);
  }
  bool accepts(StateId state) const noexcept { return states_[state][0] != 0; }
  const ByteSet& live_bytes(StateId state);

  std::size_t num_heads(StateId state) const noexcept { return states_[state].size() / 2; }
  Head head_of(StateId state, std::size_t index) const noexcept {
    return {states_[state][1 + index * 2], states_[state][2 + index * 2]};
  }
  /// The state of some heads, as they are.
  StateId state_of(std::vector<Head> heads);
  /// The state after one lexeme has ended before each of the frames.
  StateId state_after(LexId lexeme, std::span<const FrameId> frames);

  /// A state of another automaton over the same rules.
  StateId adopt(const Automaton& other, StateId state);

  Lexer& lexer() noexcept override { return lexer_; }
  /// Memory in use, roughly.
  std::size_t bytes() const noexcept;

 private:
  static constexpr std::size_t kMaxHeads = 20'000;  // before those that differ in parents are one

  void head(LexId lexeme, FrameId frame) override;
  void accept() override { accepts_ = true; }
  FrameId intern(const Frame& frame) override { return frames_.intern(frame).first; }
  std::uint32_t parents_of(FrameId frame) override { return sets_.intern({frame}).first; }
  void head_of_parents(LexId lexeme, const Frame& frame) override;
  const Frame& frame(FrameId id) const override { return frames_[id]; }
  std::vector<FrameId> parents(const Frame& frame) const override { return sets_[frame.parents]; }

  // A state that is left often gets a row of all bytes.
  using Row = std::array<StateId, 256>;
  struct RowOfState {
    std::unique_ptr<Row> row;
    std::uint32_t num_steps = 0;
  };
  static constexpr StateId kUnknownState = 0xFFFFFFFFU;
  static constexpr std::uint32_t kStepsBeforeRow = 32;

  StateId find_next(StateId from, std::uint8_t byte);
  void add_row(StateId state);
  void begin_state();
  StateId finish_state();
  void merge_heads();
  StateId step(StateId from, std::uint8_t byte);
  FrameId adopt_frame(const Automaton& other, FrameId frame);
  StateId& slot_of(std::uint64_t key);
  void grow_steps();

  Rules& rules_;
  Lexer lexer_;
  Interner<Frame> frames_;
  Interner<std::vector<std::uint32_t>> sets_;    // of frames; the first one is empty
  Interner<std::vector<std::uint32_t>> states_;  // accepts, then lexeme and frame of each head
  struct Step {
    std::uint64_t key = 0;
    StateId to = kDeadState;
  };
  std::vector<Step> steps_;  // open addressing
  std::size_t num_steps_ = 0;
  std::vector<RowOfState> rows_;
  std::size_t num_rows_ = 0;
  std::vector<ByteSet> live_bytes_;
  std::vector<bool> has_live_bytes_;
  StateId start_ = kDeadState;

  // The state that is being made.
  std::vector<Head> heads_;
  std::vector<Head> ended_;
  bool accepts_ = false;
};

}  // namespace vernal::grammar
