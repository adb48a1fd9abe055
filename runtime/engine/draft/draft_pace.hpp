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
  /// was learned is slowly forgotten, so that guesses are tried again.
  void count(std::size_t match, std::size_t num_offered, std::size_t num_accepted) noexcept;

  /// How likely a token comes true if those before it did.
  double chance(std::size_t match) const noexcept { return kinds_[kind_of(match)].chance(); }

 private:
  /// What is known of guesses behind about so many equal tokens.
  struct Kind {
    double first = 0.0;  // chance before anything is known
    double learned = first;
    std::size_t num_draws = 0;  // that it was learned from
    std::size_t num_idle = 0;   // steps without such guesses since

    /// Of what was learned, 0 to 1.
    double forgotten() const noexcept;
    double chance() const noexcept { return learned + forgotten() * (first - learned); }
    void learn(std::size_t num_offered, std::size_t num_accepted) noexcept;
  };

  static constexpr std::size_t kNumKinds = 4;
  static std::size_t kind_of(std::size_t match) noexcept;

  std::array<Kind, kNumKinds> kinds_ = {Kind{0.5}, Kind{0.6}, Kind{0.7}, Kind{0.8}};
};

}  // namespace vernal
