#include "engine/draft/draft_pace.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace vernal {
namespace {

// Of a draw, once many have been seen. Higher, and the few newest draws decide how many guesses are made;
// lower, and a text that changes is followed too late.
constexpr double kNewestDrawWeight = 0.07;
// The first draw has this part of the weight, the next ones less.
constexpr std::size_t kDrawsThatFirstChanceIsWorth = 4;
constexpr double kForgottenPerStep = 0.01;
// Gains below it are within what the estimates are wrong by.
constexpr double kLeastGain = 1.05;

}  // namespace

std::size_t DraftPace::choose(std::size_t match, std::size_t most, std::size_t num_tokens,
                              const StepCosts& costs, double seconds_per_guess) const noexcept {
  const std::size_t room =
      num_tokens < StepCosts::kMaxTokens ? StepCosts::kMaxTokens - num_tokens : 0;
  most = std::min(most, room);
  const double plain = costs.estimate(num_tokens);
  if (plain <= 0.0) return 0;
  // The others' tokens come whatever this answer guesses. With k guesses it gets 1 + p + ... + p^k.
  const double p = chance(match);
  double tokens = static_cast<double>(num_tokens);
  double power = 1.0;
  double best_rate = kLeastGain * tokens / plain;
  std::size_t best = 0;
  for (std::size_t k = 1; k <= most; ++k) {
    power *= p;
    tokens += power;
    const double seconds =
        costs.estimate(num_tokens + k) + static_cast<double>(k) * seconds_per_guess;
    const double rate = tokens / seconds;
    if (rate > best_rate) {
      best_rate = rate;
      best = k;
    }
  }
  return best;
}

void DraftPace::count(std::size_t match, std::size_t num_offered,
                      std::size_t num_accepted) noexcept {
  Kind& kind = kinds_[kind_of(match)];
  if (num_offered == 0) {
    ++kind.num_idle;
  } else {
    kind.learn(num_offered, num_accepted);
  }
}

double DraftPace::Kind::forgotten() const noexcept {
  return 1.0 - std::pow(1.0 - kForgottenPerStep, static_cast<double>(num_idle));
}

// A pause is forgotten if the first draw after it fails: guesses that still do not come true are not
// made again and again. If it comes true it says as much as the pause made forget: the text may have begun to
// repeat itself.
void DraftPace::Kind::learn(std::size_t num_offered, std::size_t num_accepted) noexcept {
  double value = num_accepted > 0 ? chance() : learned;
  double least_weight = std::max(kNewestDrawWeight, forgotten());
  num_idle = 0;
  const auto next_weight = [&] {
    const double early = 1.0 / static_cast<double>(kDrawsThatFirstChanceIsWorth + num_draws++);
    return std::max(std::exchange(least_weight, kNewestDrawWeight), early);
  };
  for (std::size_t i = 0; i < num_accepted; ++i) value += next_weight() * (1.0 - value);
  if (num_accepted < num_offered) value -= next_weight() * value;
  learned = value;
}

// Up to 3, 7, 15 equal tokens, and more.
std::size_t DraftPace::kind_of(std::size_t match) noexcept {
  const auto width = static_cast<std::size_t>(std::bit_width(match));
  return std::clamp<std::size_t>(width, 2, kNumKinds + 1) - 2;
}

}  // namespace vernal
