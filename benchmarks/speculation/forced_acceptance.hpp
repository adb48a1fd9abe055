// A StepModel whose logits let guesses come true as often as a measurement wants.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/step_model.hpp"

namespace vernal::speculation {

/// How many guesses were judged, and how many came true.
struct GuessCounts {
  std::uint64_t judged = 0;    ///< the engine read the row of logits that decides about it
  std::uint64_t accepted = 0;  ///< of them, those whose row was made to agree
};

/// Passes every call on to another StepModel, and changes rows of logits on their way back. A row of
/// "main" that is followed by another token of its chunk decides whether that token, a guess, comes
/// true. With the given chance the guess becomes the likeliest token of the row, else it becomes the
/// least likely. All other rows stay as they are, and a step does the same work as without. So a
/// greedy answer shows what speculation is worth at that rate of acceptance, whatever the model's
/// weights say. Requests for scores of their prompt cannot be measured with it.
///
/// Guesses of a step are judged in order up to the first that fails, so fewer of those computed come
/// true than the chance says. Random numbers are those of one seed, in the order of the rows. Engine
/// thread, but for counts(), which is for between requests.
class ForcedAcceptance final : public StepModel {
 public:
  /// `chance` is from 0 to 1. `counts` outlives the object.
  ForcedAcceptance(std::unique_ptr<StepModel> inner, double chance, GuessCounts& counts)
      : inner_(std::move(inner)), chance_(chance), counts_(counts) {}

  void open() override { inner_->open(); }
  StepModelInfo info() const override { return inner_->info(); }
  std::optional<FunctionId> find_function(std::string_view name) const override {
    return inner_->find_function(name);
  }
  std::optional<SequenceId> create_sequence() override { return inner_->create_sequence(); }
  void release_sequence(SequenceId sequence) noexcept override {
    inner_->release_sequence(sequence);
  }
  std::uint64_t length(SequenceId sequence, FunctionId function) override {
    return inner_->length(sequence, function);
  }
  bool reserve(SequenceId sequence, std::uint64_t num_tokens) override {
    return inner_->reserve(sequence, num_tokens);
  }
  std::uint64_t restorable(SequenceId sequence, std::uint64_t length) override {
    return inner_->restorable(sequence, length);
  }
  bool truncate(SequenceId sequence, std::uint64_t length) override {
    return inner_->truncate(sequence, length);
  }
  std::optional<SequenceId> fork(SequenceId source, std::uint64_t position) override {
    return inner_->fork(source, position);
  }
  std::optional<CheckpointId> create_checkpoint(SequenceId sequence) override {
    return inner_->create_checkpoint(sequence);
  }
  void release_checkpoint(CheckpointId checkpoint) noexcept override {
    inner_->release_checkpoint(checkpoint);
  }
  void restore(SequenceId sequence, CheckpointId checkpoint) override {
    inner_->restore(sequence, checkpoint);
  }

  void begin_step(std::span<const StepChunk> chunks) override {
    guesses_.clear();
    for (const StepChunk& chunk : chunks) {
      const std::size_t first =
          chunk.tokens.size() - std::min<std::size_t>(chunk.tokens.size(), chunk.num_rows);
      for (std::size_t i = first; i < first + chunk.num_rows; ++i) {
        const bool is_guess = chunk.function == kMainFunction && i + 1 < chunk.tokens.size();
        guesses_.push_back(is_guess ? Guess{chunk.tokens[i + 1], draw()} : Guess{});
      }
    }
    inner_->begin_step(chunks);
  }
  bool wait_step(std::chrono::milliseconds timeout) override { return inner_->wait_step(timeout); }
  std::span<const float> logits(std::size_t row) const override {
    const std::span<const float> found = inner_->logits(row);
    Guess& guess = guesses_.at(row);
    if (guess.token == kNoToken) return found;
    if (!std::exchange(guess.is_counted, true)) {
      ++counts_.judged;
      if (guess.comes_true) ++counts_.accepted;
    }
    row_.assign(found.begin(), found.end());
    row_.at(static_cast<std::size_t>(guess.token)) = guess.comes_true ? kBeyondAll : -kBeyondAll;
    return row_;
  }
  std::span<const float> hidden(std::size_t token) const override { return inner_->hidden(token); }
  void end_step() noexcept override { inner_->end_step(); }

 private:
  struct Guess {
    TokenId token = kNoToken;  // none: the row decides about no guess
    bool comes_true = false;
    bool is_counted = false;
  };

  // No model's scores are as great.
  static constexpr float kBeyondAll = 1e30F;

  // The same on every machine, which a distribution of the library need not be.
  bool draw() { return static_cast<double>(random_() >> 11U) * 0x1p-53 < chance_; }

  std::unique_ptr<StepModel> inner_;
  const double chance_;
  GuessCounts& counts_;
  std::mt19937_64 random_{1};
  mutable std::vector<Guess> guesses_;  // by row of the step that runs
  mutable std::vector<float> row_;      // the changed row that was read last
};

}  // namespace vernal::speculation
