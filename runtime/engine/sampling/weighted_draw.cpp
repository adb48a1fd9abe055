#include "engine/sampling/weighted_draw.hpp"

#include <algorithm>

namespace vernal {
namespace {

// Stretch of a row whose weights are summed together when the whole row takes part in a draw.
constexpr std::size_t kDrawBlock = 1024;

double weight(float logit, float max, float inverse_temperature) {
  return static_cast<double>(exp_nonpositive((logit - max) * inverse_temperature));
}

}  // namespace

TokenId draw_from(std::span<const Candidate> candidates, float max, float inverse_temperature,
                  double target) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) {
    total += weight(candidate.logit, max, inverse_temperature);
  }
  double remaining = target * total;
  TokenId last = candidates.front().id;
  for (const Candidate& candidate : candidates) {
    const double mass = weight(candidate.logit, max, inverse_temperature);
    if (mass > 0.0) {
      last = candidate.id;
    }
    if (mass > remaining) {
      break;
    }
    remaining -= mass;
  }
  return last;
}

TokenId draw_from_row(std::span<const float> logits, float max, float inverse_temperature,
                      double target, std::vector<double>& sums) {
  const auto block = [&](std::size_t index) {
    const std::size_t begin = index * kDrawBlock;
    return logits.subspan(begin, std::min(kDrawBlock, logits.size() - begin));
  };
  sums.clear();
  double total = 0.0;
  for (std::size_t index = 0; index * kDrawBlock < logits.size(); ++index) {
    sums.push_back(sum_exp(block(index), max, inverse_temperature));
    total += sums.back();
  }
  double remaining = target * total;
  std::size_t chosen = 0;
  for (std::size_t index = 0; index < sums.size(); ++index) {
    if (sums[index] > 0.0) {
      chosen = index;
    }
    if (sums[index] > remaining) {
      break;
    }
    remaining -= sums[index];
  }
  const std::span<const float> row = block(chosen);
  std::size_t last = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double mass = weight(row[i], max, inverse_temperature);
    if (mass > 0.0) {
      last = i;
    }
    if (mass > remaining) {
      break;
    }
    remaining -= mass;
  }
  return static_cast<TokenId>(chosen * kDrawBlock + last);
}

}  // namespace vernal
