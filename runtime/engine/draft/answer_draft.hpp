// The guesses for one answer.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "engine/draft/draft_pace.hpp"
#include "engine/draft/ngram_draft.hpp"
#include "engine/steps/step_costs.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Guesses tokens behind the newest of an answer, as many as pay. A step computes them together with
/// the newest token. Those that the sampler then draws itself are in the sequence already; the rest is
/// cut off. So guesses change how fast an answer comes and never what it says. Engine thread.
class AnswerDraft {
 public:
  ///   max_tokens   most guesses in a step; 0: none are made
  explicit AnswerDraft(std::size_t max_tokens) : max_tokens_(max_tokens) {}

  bool is_on() const noexcept { return max_tokens_ > 0; }

  /// Makes the guesses for the next step.
  ///   prompt, generated   all tokens so far, at least one generated
  ///   most                that the step has room for
  ///   num_tokens          that the step has already, with the newest of this answer
  /// Returns the newest token and the guesses behind it, which live until the next call.
  std::span<const TokenId> make(std::span<const TokenId> prompt, std::span<const TokenId> generated,
                                std::size_t most, std::size_t num_tokens, const StepCosts& costs);

  /// The same where the model's own layer guesses: how many are worth it behind the newest token.
  ///   num_tokens          that the step will have beside the guesses
  ///   seconds_per_guess   that each guess takes before the step
  std::size_t num_predictions(std::size_t most, std::size_t num_tokens, const StepCosts& costs,
                              double seconds_per_guess) noexcept;
  void set_predictions(std::vector<TokenId> predictions) { predictions_ = std::move(predictions); }
  /// The newest token and at most `most` of the predictions behind it, which count for one step.
  std::span<const TokenId> take_predictions(TokenId newest, std::size_t most);

  /// So many of the guesses came true.
  void count(std::size_t num_offered, std::size_t num_accepted) noexcept {
    pace_.count(match_, num_offered, num_accepted);
  }

 private:
  const std::size_t max_tokens_;
  NgramDraft ngrams_;
  DraftPace pace_;
  std::size_t match_ = 0;  // of the newest guess
  std::vector<TokenId> predictions_;
  std::vector<TokenId> chunk_;
};

}  // namespace vernal
