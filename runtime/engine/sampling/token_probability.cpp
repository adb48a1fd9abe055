#include "engine/sampling/token_probability.hpp"

#include <algorithm>
#include <cmath>

namespace vernal {
namespace {

// Stands for -infinity, which JSON cannot write.
constexpr double kLeastLogprob = -9999.0;

}  // namespace

SampledToken probability_of(std::span<const float> logits, float max, TokenId token,
                            std::uint32_t num_alternatives, std::vector<Candidate>& candidates) {
  const double normaliser = static_cast<double>(max) + std::log(sum_exp(logits, max, 1.0F));
  const auto logprob = [&](float logit) {
    return std::max(static_cast<double>(logit) - normaliser, kLeastLogprob);
  };
  SampledToken result;
  result.chosen = {token, logprob(logits[static_cast<std::size_t>(token)])};
  select_top(logits, num_alternatives, candidates);
  for (const Candidate& candidate : candidates) {
    result.alternatives.push_back({candidate.id, logprob(candidate.logit)});
  }
  return result;
}

}  // namespace vernal
