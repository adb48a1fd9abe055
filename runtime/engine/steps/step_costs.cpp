#include "engine/steps/step_costs.hpp"

#include <algorithm>

namespace vernal {
namespace {

constexpr double kNewestStepWeight = 0.1;
// What another token adds to a step of one where only one number was seen. So low that more tokens
// are tried.
constexpr double kFirstGuess = 0.04;
// The fastest of so many steps counts, until one slow step can no longer be all that is known.
constexpr std::uint32_t kFirstSteps = 3;
// A number that was not seen for so many steps is tried again, sooner if little is known of it.
constexpr std::uint64_t kStepsToDoubt = 64;
constexpr std::uint64_t kStepsToForget = 512;

}  // namespace

void StepCosts::observe(std::size_t num_tokens, double seconds) noexcept {
  if (num_tokens == 0 || num_tokens > kMaxTokens) return;
  Cost& cost = costs_[num_tokens];
  ++num_steps_;
  if (num_steps_ - cost.last_seen > kStepsToForget) cost.num_seen = 0;
  cost.last_seen = num_steps_;
  if (cost.num_seen < kFirstSteps) {
    cost.seconds = cost.num_seen == 0 ? seconds : std::min(cost.seconds, seconds);
    ++cost.num_seen;
    return;
  }
  // One slow step, say of a process that was not scheduled, says little.
  const bool is_slow = seconds > 2 * cost.seconds;
  cost.seconds += (is_slow ? kNewestStepWeight / 4 : kNewestStepWeight) * (seconds - cost.seconds);
}

double StepCosts::estimate(std::size_t num_tokens) const noexcept {
  num_tokens = std::min(num_tokens, kMaxTokens);
  const Cost& cost = costs_[num_tokens];
  const double known = cost.num_seen == 0 ? of_neighbours(num_tokens) : cost.seconds;
  if (num_tokens == 0 || is_of_late(cost)) return known;
  const Cost& one_less = costs_[num_tokens - 1];
  if (!is_of_late(one_less)) return known;
  return std::min(known, one_less.seconds * (1.0 + kFirstGuess));
}

bool StepCosts::is_of_late(const Cost& cost) const noexcept {
  const std::uint64_t most = cost.num_seen < kFirstSteps ? kStepsToDoubt : kStepsToForget;
  return cost.num_seen > 0 && num_steps_ - cost.last_seen <= most;
}

// Between the nearest that were seen, or behind the last one.
double StepCosts::of_neighbours(std::size_t num_tokens) const noexcept {
  std::size_t below = num_tokens;
  while (below > 0 && costs_[below].num_seen == 0) --below;
  std::size_t above = num_tokens;
  while (above <= kMaxTokens && costs_[above].num_seen == 0) ++above;
  const bool has_above = above <= kMaxTokens;
  if (below == 0) return has_above ? costs_[above].seconds : 0.0;
  const double lower = costs_[below].seconds;
  if (!has_above) return lower * (1.0 + kFirstGuess * static_cast<double>(num_tokens - below));
  const double part = static_cast<double>(num_tokens - below) / static_cast<double>(above - below);
  return lower + part * (costs_[above].seconds - lower);
}

}  // namespace vernal
