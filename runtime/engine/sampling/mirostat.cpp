#include "engine/sampling/mirostat.hpp"

#include <algorithm>
#include <cmath>

namespace vernal {
namespace {

constexpr std::size_t kTokensOfEstimate = 100;

// The exponent s of Zipf's law that fits the probabilities of sorted candidates best, by least
// squares through the origin: ln(p_i / p_i+1) = s * ln((i + 2) / (i + 1)).
double zipf_exponent(const Candidates& sorted, std::size_t count) {
  double products = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const double ranks = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += ranks * static_cast<double>(sorted[i].logit - sorted[i + 1].logit);
    squares += ranks * ranks;
  }
  return squares > 0.0 ? products / squares : 0.0;
}

}  // namespace

void Mirostat::truncate(Candidates& candidates, std::size_t vocabulary_size) const {
  if (options_.mirostat == 1) {
    truncate_by_law(candidates, vocabulary_size);
  } else {
    truncate_by_surprise(candidates);
  }
}

void Mirostat::truncate_by_law(Candidates& candidates, std::size_t vocabulary_size) const {
  const std::size_t count = std::min(kTokensOfEstimate, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                    candidates.end());
  constexpr double kLeastExponent = 1e-6;  // all as likely as another: no law
  const double exponent = std::max(zipf_exponent(candidates, count), kLeastExponent);
  const double excess = exponent - 1.0;
  const auto size = static_cast<double>(vocabulary_size);
  constexpr double kNearOne = 1e-9;  // where the fraction is 0 / 0: its limit
  const double fraction =
      std::abs(excess) < kNearOne ? 1.0 / std::log(size) : excess / (1.0 - std::pow(size, -excess));
  const double k = std::pow(fraction * std::exp2(bound()), 1.0 / exponent);
  const double most = static_cast<double>(candidates.size());
  keep_top_k(candidates, static_cast<std::size_t>(std::clamp(k, 1.0, most)));
}

void Mirostat::truncate_by_surprise(Candidates& candidates) const {
  const float max = greatest_logit(candidates);
  const double total = std::log2(total_mass(candidates, max));
  const Candidate best = *std::min_element(candidates.begin(), candidates.end());
  std::erase_if(candidates, [&](const Candidate& candidate) {
    const double surprise = total - std::log2(mass_of(candidate, max));
    return candidate.id != best.id && !(surprise <= bound());
  });
}

void Mirostat::observe(const Candidates& candidates, TokenId drawn) {
  const float max = greatest_logit(candidates);
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const Candidate& c) { return c.id == drawn; });
  const double share = mass_of(*found, max) / total_mass(candidates, max);
  bounds_.push_back(bound() - options_.mirostat_eta * (-std::log2(share) - options_.mirostat_tau));
}

}  // namespace vernal
