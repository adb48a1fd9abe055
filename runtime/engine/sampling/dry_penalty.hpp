// A penalty on tokens that would go on with a sequence that was there before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/logits_math.hpp"
#include "engine/sampling/token_history.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

class Tokenizer;

/// DRY ("don't repeat yourself"). If the last n tokens were there before, the token that followed
/// them then gets
///   l - multiplier * base^(n - allowed_length)      for n >= allowed_length
/// with the greatest such n. No sequence reaches back over a text that is a sequence breaker, so that
/// the forms of a conversation or a list are not penalised.
/// Source   p-e-w 2024, "DRY: a modern repetition penalty that reliably prevents looping",
///          text-generation-webui, pull request 5677
/// Thread   one at a time
class DryPenalty {
 public:
  /// All outlive the object. Without a tokenizer there are no sequence breakers.
  DryPenalty(const SamplingOptions& options, const TokenHistory& history,
             const Tokenizer* tokenizer);

  bool is_on() const noexcept { return options_.dry_multiplier != 0.0; }
  /// The history has more tokens than before.
  void see_new();
  /// The newest token will be taken away from the history next.
  void remove_newest() noexcept;

  /// Finds the penalties for the token after the history. They stand until the next call.
  void find();
  void apply(std::span<float> row) const noexcept;
  void apply(std::span<Candidate> candidates) const noexcept;

 private:
  struct Penalty {
    TokenId token;
    float amount;
  };

  // Whether a sequence breaker ends within token number `index`.
  bool ends_breaker(std::size_t index) const;
  // Tokens at the end of the history, of the last `window`, that no breaker ends in.
  std::size_t unbroken(std::size_t window) const noexcept;
  // matches_[i] = how many tokens before the newest but i are the same as the newest ones.
  void match(std::size_t window);
  float amount(std::size_t length) const noexcept;

  const SamplingOptions& options_;
  const TokenHistory& history_;
  const Tokenizer* tokenizer_;
  std::size_t longest_breaker_ = 0;
  std::vector<bool> breaks_;            // by token of the history
  std::vector<std::uint32_t> matches_;  // reused from draw to draw
  std::vector<Penalty> penalties_;      // ids ascending
};

}  // namespace vernal
