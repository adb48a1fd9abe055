#include "engine/steps/prefill_pace.hpp"

#include <algorithm>

namespace vernal {
namespace {

// Tokens deep in a prompt cost more than those before them, so what was seen last counts for much.
constexpr double kNewestPromptWeight = 0.3;
// Before the first step with a prompt was seen.
constexpr std::size_t kFirstTokens = 64;
// So high that it bounds nothing, and a double holds it.
constexpr double kMostTokens = 1e6;

}  // namespace

std::size_t PrefillPace::most_tokens(double decode_seconds) const noexcept {
  if (seconds_per_token_ <= 0.0) return kFirstTokens;
  const double seconds = std::max(max_seconds_ - decode_seconds, decode_seconds);
  const auto tokens = static_cast<std::size_t>(std::min(seconds / seconds_per_token_, kMostTokens));
  return std::max(tokens / kLeastTokens * kLeastTokens, kLeastTokens);
}

void PrefillPace::observe(std::size_t num_tokens, double seconds, double decode_seconds) noexcept {
  if (num_tokens < kLeastTokens) return;
  const double of_prompts = std::max(seconds - decode_seconds, 0.0);
  const double found = of_prompts / static_cast<double>(num_tokens);
  if (seconds_per_token_ <= 0.0) {
    seconds_per_token_ = found;
    return;
  }
  // One slow step, say of a process that was not scheduled, says little.
  const double weight =
      found > 2 * seconds_per_token_ ? kNewestPromptWeight / 4 : kNewestPromptWeight;
  seconds_per_token_ += weight * (found - seconds_per_token_);
}

}  // namespace vernal
