#include "engine/draft/answer_draft.hpp"

#include <algorithm>

namespace vernal {
namespace {

// A prediction comes true about as often as a guess behind so many equal tokens.
constexpr std::size_t kPredictionMatch = 8;

}  // namespace

std::span<const TokenId> AnswerDraft::make(std::span<const TokenId> prompt,
                                           std::span<const TokenId> generated, std::size_t most,
                                           std::size_t num_tokens, const StepCosts& costs) {
  chunk_.assign(1, generated.back());
  const std::size_t num_prompt_seen = std::min(ngrams_.size(), prompt.size());
  ngrams_.append(prompt.subspan(num_prompt_seen));
  ngrams_.append(generated.subspan(ngrams_.size() - prompt.size()));
  const NgramDraft::Guess guess = ngrams_.guess(std::min(most, max_tokens_));
  match_ = guess.match;
  if (guess.tokens.empty()) return chunk_;
  const std::size_t count = pace_.choose(match_, guess.tokens.size(), num_tokens, costs);
  if (count == 0) pace_.count(match_, 0, 0);
  chunk_.insert(chunk_.end(), guess.tokens.begin(),
                guess.tokens.begin() + static_cast<std::ptrdiff_t>(count));
  return chunk_;
}

std::size_t AnswerDraft::num_predictions(std::size_t most, std::size_t num_tokens,
                                         const StepCosts& costs,
                                         double seconds_per_guess) noexcept {
  match_ = kPredictionMatch;
  const std::size_t count =
      pace_.choose(match_, std::min(most, max_tokens_), num_tokens, costs, seconds_per_guess);
  if (count == 0) pace_.count(match_, 0, 0);
  return count;
}

std::span<const TokenId> AnswerDraft::take_predictions(TokenId newest, std::size_t most) {
  chunk_.assign(1, newest);
  const std::size_t count = std::min(most, predictions_.size());
  chunk_.insert(chunk_.end(), predictions_.begin(),
                predictions_.begin() + static_cast<std::ptrdiff_t>(count));
  predictions_.clear();
  return chunk_;
}

}  // namespace vernal
