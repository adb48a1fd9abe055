#include "engine/draft/draft_pace.hpp"

#include <algorithm>
#include <bit>

namespace vernal {
namespace {

constexpr double kNewestDrawWeight = 0.15;
constexpr double kFading = 0.01;
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
  const std::size_t kind = kind_of(match);
  double& chance = chances_[kind];
  if (num_offered == 0) {
    chance += kFading * (kFirstChances[kind] - chance);
    return;
  }
  for (std::size_t i = 0; i < num_accepted; ++i) chance += kNewestDrawWeight * (1.0 - chance);
  if (num_accepted < num_offered) chance -= kNewestDrawWeight * chance;
}

// Up to 3, 7, 15 equal tokens, and more.
std::size_t DraftPace::kind_of(std::size_t match) noexcept {
  const auto width = static_cast<std::size_t>(std::bit_width(match));
  return std::clamp<std::size_t>(width, 2, kNumKinds + 1) - 2;
}

}  // namespace vernal
