#include "engine/steps/step_costs.hpp"

#include <algorithm>

namespace vernal {
namespace {

constexpr double kNewestStepWeight = 0.1;
// What another token adds to a step of one where only one number was seen. So low that more tokens
// are tried.
constexpr double kFirstGuess = 0.04;

}  // namespace

void StepCosts::observe(std::size_t num_tokens, double seconds) noexcept {
  if (num_tokens == 0 || num_tokens > kMaxTokens) return;
  double& known = seconds_[num_tokens];
  if (known == 0.0) {
    known = seconds;
    return;
  }
  // One slow step, say of a process that was not scheduled, says little.
  const double weight = seconds > 2 * known ? kNewestStepWeight / 4 : kNewestStepWeight;
  known += weight * (seconds - known);
}

double StepCosts::estimate(std::size_t num_tokens) const noexcept {
  num_tokens = std::min(num_tokens, kMaxTokens);
  std::size_t below = num_tokens;
  while (below > 0 && seconds_[below] == 0.0) --below;
  std::size_t above = num_tokens;
  while (above <= kMaxTokens && seconds_[above] == 0.0) ++above;
  if (below == num_tokens) return seconds_[num_tokens];
  const bool has_above = above <= kMaxTokens;
  if (below == 0) return has_above ? seconds_[above] : 0.0;
  if (has_above) {
    const double part =
        static_cast<double>(num_tokens - below) / static_cast<double>(above - below);
    return seconds_[below] + part * (seconds_[above] - seconds_[below]);
  }
  return seconds_[below] * (1.0 + kFirstGuess * static_cast<double>(num_tokens - below));
}

}  // namespace vernal
