// How many guessed tokens are worth a look.
#pragma once

#include <array>
#include <cstddef>

#include "engine/steps/step_costs.hpp"

namespace vernal {

/// Learns how often the guesses for one answer come true, and takes as many as make the answer
/// fastest; none where they do not pay. Engine thread.
class DraftPace {
 public:
  /// The number of guessed tokens that a step should take, at most `most`.
  ///   match        equal tokens before the guess: long matches come true more often
  ///   num_tokens   that the step has already, with the newest of this answer
  ///   seconds_per_guess   that each guess takes before the step
  std::size_t choose(std::size_t match, std::size_t most, std::size_t num_tokens,
                     const StepCosts& costs, double seconds_per_guess = 0.0) const noexcept;

  /// Of `num_offered` guessed tokens the first `num_accepted` came true. None offered counts too: what
  /// was learned fades, so that guesses are tried again.
  void count(std::size_t match, std::size_t num_offered, std::size_t num_accepted) noexcept;

  /// How likely a token comes true if those before it did.
  double chance(std::size_t match) const noexcept { return chances_[kind_of(match)]; }

 private:
  static constexpr std::size_t kNumKinds = 4;
  static std::size_t kind_of(std::size_t match) noexcept;

  static constexpr std::array<double, kNumKinds> kFirstChances = {0.5, 0.6, 0.7, 0.8};
  std::array<double, kNumKinds> chances_ = kFirstChances;
};

}  // namespace vernal
