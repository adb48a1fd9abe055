// Which tokens of which choices go into the next step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/generation.hpp"

namespace vernal {

/// The next `count` known tokens of a choice, and perhaps guesses behind them.
struct PlannedChunk {
  Choice* choice = nullptr;
  std::size_t count = 0;
  bool wants_logits = false;   ///< the known tokens end at the newest
  bool scores_prompt = false;  ///< rows of logits are read of all its tokens
  /// The newest token and the guesses behind it (AnswerDraft). Empty: there are none.
  std::span<const TokenId> drafted = {};

  std::size_t num_guesses() const noexcept { return drafted.empty() ? 0 : drafted.size() - 1; }
  std::size_t num_tokens() const noexcept { return count + num_guesses(); }
  /// Of logits, of its last tokens.
  std::size_t num_rows() const noexcept {
    if (scores_prompt) return count;
    return wants_logits ? 1 + num_guesses() : 0;
  }
};

/// What a step has left.
struct StepRoom {
  std::size_t tokens = 0;
  std::size_t rows = 0;  ///< of logits
};

/// Fills a step with every decode, then with prefill chunks of those that have waited longest.
/// A prompt whose log-probabilities are asked for has smaller chunks: as many tokens as there are rows
/// of logits to spare.
///
/// Chunks of a prompt end at multiples of chunk_tokens() and at the end of the prompt, whatever else
/// runs. A backend whose results depend only on a sequence and its chunk borders therefore gives the
/// same answer under any load. Where states are kept for later prompts, chunks also end at
/// Seat::borders. One of these depends on earlier prompts, so there only a backend whose results do
/// not depend on borders gives the same answer always. For such a backend the chunks of prompts may
/// also be shortened where others decode, see plan(). Engine thread.
class Scheduler {
 public:
  /// Chunk borders are multiples of this where the size of a step allows it.
  static constexpr std::size_t kChunkAlignment = 64;

  ///   max_tokens_per_step   at least 1
  ///   slots                 the most choices in a step
  ///   max_rows              the most rows of logits in a step; less than slots: slots
  Scheduler(std::size_t max_tokens_per_step, std::size_t slots, std::size_t max_rows = 0);

  /// Length of a whole chunk: a multiple of kChunkAlignment that leaves room for one decode of each
  /// slot, or a power of two below it in a step too small for that.
  std::size_t chunk_tokens() const noexcept { return chunk_tokens_; }

  /// Fills `out` with the next step; it stays empty if there is nothing to do. Each choice is
  /// seated and has tokens to compute. Those in the step are told its number.
  ///   most_prefill   the most tokens of prompts, at least 1, and of what is computed once more;
  ///                  nothing: no bound
  void plan(std::span<Choice* const> choices, std::vector<PlannedChunk>& out,
            std::optional<std::size_t> most_prefill = std::nullopt);
  /// Whether a chunk of the planned step was shortened by most_prefill, or left out.
  bool has_shortened() const noexcept { return has_shortened_; }
  /// What the planned step has left.
  const StepRoom& room() const noexcept { return room_; }

 private:
  // Tells decodes from prefills, and sorts both by how long they have waited.
  void sort(std::span<Choice* const> choices);
  std::size_t next_count(const Choice& choice) const noexcept;
  // Adds choices in the order given as long as their chunks fit. `most`: see most_prefill.
  void add(std::span<Choice* const> choices, std::size_t most, std::vector<PlannedChunk>& out);

  const std::size_t max_tokens_per_step_;
  const std::size_t chunk_tokens_;
  const std::size_t max_rows_;
  const std::size_t scored_rows_;  // of a chunk, so that one fits beside a row of each other slot
  StepRoom room_;
  std::uint64_t num_steps_ = 0;
  bool prefill_goes_first_ = false;  // decodes left no room for a chunk in the last step
  bool has_shortened_ = false;
  std::vector<Choice*> decodes_;  // as large as they get from the beginning
  std::vector<Choice*> prefills_;
};

}  // namespace vernal
