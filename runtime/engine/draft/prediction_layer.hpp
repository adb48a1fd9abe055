// Guesses by the layer that some models have for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/loaded_model.hpp"
#include "engine/scheduler.hpp"
#include "engine/step_model.hpp"

namespace vernal {

/// Runs a model's function "mtp" (sdk/spec/operations.md, section 2) behind the steps of "main". Entry
/// p of it is made of the hidden state of token p and of token p + 1, and says what token p + 2 may
/// be. It goes on by itself from its own hidden states, for a guess behind the guess.
///
/// Each sequence has an entry for every token of it that has a known successor. Those of guesses are
/// taken back before the guesses are checked, and made anew of the true hidden states afterwards. While
/// nobody wants a guess, entries wait and are then made together: a layer whose guesses do not pay takes
/// next to no time. An entry whose hidden state is gone, because the sequence goes on from a kept one, is
/// made of zeros: guesses are a little worse there, answers are what they are. Engine thread.
class PredictionLayer {
 public:
  /// `model.steps` is open and outlives the object.
  /// Errors   UNSUPPORTED: the model has no function "mtp"
  explicit PredictionLayer(const LoadedModel& model);

  /// Copies the hidden states of a step of "main" before the step ends, after its choices have
  /// advanced.
  void keep_hidden(std::span<const PlannedChunk> chunks);

  /// Makes all entries that became possible by the step whose hidden states are kept.
  /// Errors   those of the backend; the sequences of the chunks cannot be used then
  void follow(std::span<const PlannedChunk> chunks);

  /// The same for the chunks that want guesses, and guesses. The others' entries may wait.
  ///   num_guesses   for each chunk; 0: none
  ///   out           for each chunk: its guesses
  /// Choices that have lost their seat are passed over.
  void guess(std::span<const PlannedChunk> chunks, std::span<const std::size_t> num_guesses,
             std::span<std::vector<TokenId>> out);

  /// Seconds that a guess takes, for all who guess in a step together, as far as it is known. Believed to
  /// be less and less while nobody guesses, so that guesses are tried again.
  double seconds_per_guess() const noexcept;
  /// Seconds that the last guess() took.
  double seconds_guessing() const noexcept { return seconds_guessing_; }

 private:
  // What is kept of a chunk.
  struct Kept {
    std::uint64_t begin = 0;  // position of its first token
    std::size_t first_row = 0;
  };
  // One choice in a step of "mtp".
  struct Entry {
    std::size_t chunk = 0;
    SequenceId sequence = 0;
    std::uint64_t first = 0;  // entry that its chunk begins with
    std::vector<TokenId> ids;
    std::vector<float> hidden;  // [ids, width]
    std::uint32_t num_rows = 0;
  };

  // Hidden states of a sequence's newest tokens, those whose entries are still to be made.
  struct Tail {
    SequenceId sequence = 0;
    std::uint64_t begin = 0;  // position of the first
    std::vector<float> rows;  // [tokens, width]
  };

  // Entries, by position.
  struct Range {
    std::uint64_t first;
    std::uint64_t last;  // one past
  };

  void collect(std::span<const PlannedChunk> chunks, std::span<const std::size_t> num_guesses);
  Range missing_entries(const Choice& choice, const Kept& kept) const;
  Entry entry_of(const Choice& choice, const Kept& kept, Range range) const;
  std::span<const float> hidden_of(std::uint64_t position, const Kept& kept,
                                   const Choice& choice) const;
  void remember(std::uint64_t begin, const Kept& kept, const Choice& choice);
  void run_step(std::span<const std::size_t> num_guesses, std::span<std::vector<TokenId>> out);
  std::vector<Entry> read_guesses(std::span<const std::size_t> num_guesses,
                                  std::span<std::vector<TokenId>> out);
  void learn_cost(double seconds);

  StepModel& steps_;
  const FunctionId function_;
  const std::size_t width_;
  const std::size_t max_tokens_;
  const std::size_t num_columns_;     // of logits that are tokens
  std::vector<Kept> kept_;            // by chunk
  std::vector<float> rows_;           // [tokens of the step, width]
  const std::uint64_t most_waiting_;  // entries of a sequence
  std::vector<Tail> tails_;           // by slot
  std::vector<float> zeros_;
  std::vector<Entry> entries_;
  std::vector<StepChunk> step_;
  double seconds_per_guess_ = 0.0;  // as learned
  std::size_t num_idle_ = 0;        // steps in which nobody has guessed since
  double seconds_guessing_ = 0.0;
};

}  // namespace vernal
