#include "engine/sampling/truncation.hpp"

#include <algorithm>
#include <cmath>

#include "text/request/sampling_options.hpp"

namespace vernal {
namespace {

// Sorts no more of the candidates than it has to hand to `take`, which says of each whether it is the
// last to stay.
template <class Before, class Take>
void keep_until(Candidates& candidates, Before before, Take take) {
  constexpr std::size_t kFirstPart = 256;
  constexpr std::size_t kGrowth = 8;
  const auto place = [&](std::size_t i) {
    return candidates.begin() + static_cast<std::ptrdiff_t>(i);
  };
  std::size_t begin = 0;
  for (std::size_t size = kFirstPart; begin < candidates.size(); size *= kGrowth) {
    const std::size_t end = std::min(candidates.size(), size);
    if (end < candidates.size()) {
      std::nth_element(place(begin), place(end), candidates.end(), before);
    }
    std::sort(place(begin), place(end), before);
    for (; begin < end; ++begin) {
      if (take(candidates[begin])) {
        candidates.resize(begin + 1);
        return;
      }
    }
  }
}

void keep_above(Candidates& candidates, double least, std::size_t min_keep) {
  const auto is_below = [&](const Candidate& c) { return static_cast<double>(c.logit) < least; };
  const auto below = std::count_if(candidates.begin(), candidates.end(), is_below);
  if (candidates.size() - static_cast<std::size_t>(below) >= min_keep) {
    std::erase_if(candidates, is_below);
  } else {
    keep_top_k(candidates, min_keep);
  }
}

struct Entropy {
  double nats;
  double log_total;  ///< ln of the sum of e^logit
};

Entropy entropy_of(const Candidates& candidates) {
  const float max = greatest_logit(candidates);
  double total = 0.0;
  double weighted = 0.0;  // by the distance to the greatest logit
  for (const Candidate& candidate : candidates) {
    const double mass = mass_of(candidate, max);
    total += mass;
    weighted += mass * static_cast<double>(max - candidate.logit);
  }
  return {std::log(total) + weighted / total, static_cast<double>(max) + std::log(total)};
}

}  // namespace

float greatest_logit(const Candidates& candidates) noexcept {
  return std::min_element(candidates.begin(), candidates.end())->logit;
}

double mass_of(const Candidate& candidate, float max) noexcept {
  return static_cast<double>(exp_nonpositive(candidate.logit - max));
}

double total_mass(const Candidates& candidates, float max) noexcept {
  double total = 0.0;
  for (const Candidate& candidate : candidates) total += mass_of(candidate, max);
  return total;
}

void keep_top_k(Candidates& candidates, std::size_t k) {
  if (k >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(k),
                   candidates.end());
  candidates.resize(k);
}

void keep_top_p(Candidates& candidates, double p, std::size_t min_keep) {
  const float max = greatest_logit(candidates);
  const double wanted = p * total_mass(candidates, max);
  double sum = 0.0;
  std::size_t kept = 0;
  keep_until(candidates, std::less<>(), [&](const Candidate& candidate) {
    sum += mass_of(candidate, max);
    return ++kept >= min_keep && sum >= wanted;
  });
}

void keep_min_p(Candidates& candidates, double p, std::size_t min_keep) {
  const auto max = static_cast<double>(greatest_logit(candidates));
  keep_above(candidates, std::min(max, max + std::log(p)), min_keep);
}

void keep_typical_p(Candidates& candidates, double p, std::size_t min_keep) {
  const float max = greatest_logit(candidates);
  const Entropy entropy = entropy_of(candidates);
  const double usual = entropy.log_total - entropy.nats;  // the logit of that surprise
  const double wanted = p * total_mass(candidates, max);
  const auto is_more_typical = [&](const Candidate& a, const Candidate& b) {
    const double from_a = std::abs(static_cast<double>(a.logit) - usual);
    const double from_b = std::abs(static_cast<double>(b.logit) - usual);
    return from_a < from_b || (from_a == from_b && a.id < b.id);
  };
  double sum = 0.0;
  std::size_t kept = 0;
  keep_until(candidates, is_more_typical, [&](const Candidate& candidate) {
    sum += mass_of(candidate, max);
    return ++kept >= min_keep && sum >= wanted;
  });
}

void keep_top_n_sigma(Candidates& candidates, double n, std::size_t min_keep) {
  const auto count = static_cast<double>(candidates.size());
  double mean = 0.0;
  for (const Candidate& candidate : candidates) mean += static_cast<double>(candidate.logit);
  mean /= count;
  double squares = 0.0;
  for (const Candidate& candidate : candidates) {
    const double distance = static_cast<double>(candidate.logit) - mean;
    squares += distance * distance;
  }
  const double least =
      static_cast<double>(greatest_logit(candidates)) - n * std::sqrt(squares / count);
  keep_above(candidates, least, min_keep);
}

void drop_top_choices(Candidates& candidates, double threshold, std::size_t min_keep) {
  const float max = greatest_logit(candidates);
  const double least = threshold * total_mass(candidates, max);
  const auto is_top = [&](const Candidate& candidate) { return mass_of(candidate, max) >= least; };
  const Candidate* last = nullptr;  // of the top ones
  std::size_t num_top = 0;
  for (const Candidate& candidate : candidates) {
    if (!is_top(candidate)) continue;
    ++num_top;
    if (last == nullptr || *last < candidate) last = &candidate;
  }
  if (num_top < 2 || candidates.size() - (num_top - 1) < min_keep) return;
  const TokenId stays = last->id;
  std::erase_if(candidates, [&](const Candidate& c) { return c.id != stays && is_top(c); });
}

double dynamic_temperature(const Candidates& candidates, double temperature, double range,
                           double exponent) {
  if (candidates.size() < 2) return temperature;
  const double low = std::max(0.0, temperature - range);
  const double high = temperature + range;
  const double most = std::log(static_cast<double>(candidates.size()));
  const double share = std::clamp(entropy_of(candidates).nats / most, 0.0, 1.0);
  return low + (high - low) * std::pow(share, exponent);
}

void apply_temperature(Candidates& candidates, double temperature) {
  if (temperature < SamplingOptions::kLeastTemperature) {
    candidates.front() = *std::min_element(candidates.begin(), candidates.end());
    candidates.resize(1);
    return;
  }
  const auto inverse = static_cast<float>(1.0 / temperature);
  const float max = greatest_logit(candidates);  // taken away first, so that none becomes infinite
  for (Candidate& candidate : candidates) {
    candidate.logit = (candidate.logit - max) * inverse;
  }
}

}  // namespace vernal
