#include "unit/engine/sampling/plain_chain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "text/request/sampling_bounds.hpp"

namespace vernal::test {
namespace {

void plain_top_p(Plain& all, double top_p, std::size_t min_keep) {
  const std::vector<double> p = all.probabilities();
  double sum = 0.0;
  std::size_t kept = 0;
  while (kept < p.size() && (sum < top_p || kept < min_keep)) sum += p[kept++];
  all.logits.resize(std::max<std::size_t>(kept, 1));
}

void plain_typical(Plain& all, double mass, std::size_t min_keep) {
  const double entropy = all.entropy();
  const std::vector<double> p = all.probabilities();
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(-std::log(p[a]) - entropy) < std::abs(-std::log(p[b]) - entropy);
  });
  double sum = 0.0;
  Plain kept = all;
  kept.logits.clear();
  for (const std::size_t i : order) {
    if (sum >= mass && kept.logits.size() >= min_keep && !kept.logits.empty()) break;
    sum += p[i];
    kept.logits.push_back(all.logits[i]);
  }
  kept.sort();
  all = kept;
}

void plain_xtc(Plain& all, double threshold, std::size_t min_keep) {
  const std::vector<double> p = all.probabilities();
  std::size_t top = 0;
  while (top < p.size() && p[top] >= threshold) ++top;
  if (top < 2 || all.logits.size() - (top - 1) < min_keep) return;
  all.logits.erase(all.logits.begin(), all.logits.begin() + static_cast<std::ptrdiff_t>(top - 1));
}

void plain_sigma(Plain& all, double n) {
  double mean = 0.0;
  for (const auto& [id, logit] : all.logits) mean += logit;
  mean /= static_cast<double>(all.logits.size());
  double variance = 0.0;
  for (const auto& [id, logit] : all.logits) variance += (logit - mean) * (logit - mean);
  variance /= static_cast<double>(all.logits.size());
  const double least = all.logits.front().second - n * std::sqrt(variance);
  std::erase_if(all.logits, [&](const auto& entry) { return entry.second < least; });
}

}  // namespace

std::vector<float> row_of(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

Plain::Plain(std::span<const float> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (std::isfinite(row[i])) logits.emplace_back(static_cast<TokenId>(i), row[i]);
  }
  sort();
}

void Plain::sort() {
  std::sort(logits.begin(), logits.end(), [](const auto& a, const auto& b) {
    return a.second > b.second || (a.second == b.second && a.first < b.first);
  });
}

std::vector<double> Plain::probabilities() const {
  std::vector<double> p;
  for (const auto& [id, logit] : logits) p.push_back(std::exp(logit - logits.front().second));
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  return p;
}

double Plain::entropy() const {
  double sum = 0.0;
  for (const double p : probabilities()) sum -= p > 0.0 ? p * std::log(p) : 0.0;
  return sum;
}

Distribution Plain::distribution() const {
  Distribution out;
  const std::vector<double> p = probabilities();
  for (std::size_t i = 0; i < p.size(); ++i) out[logits[i].first] = p[i];
  return out;
}

void plain_temperature(Plain& all, const SamplingOptions& options) {
  double temperature = options.temperature;
  if (options.dynatemp_range > 0.0 && all.logits.size() > 1) {
    const double low = std::max(0.0, temperature - options.dynatemp_range);
    const double high = temperature + options.dynatemp_range;
    const double share = all.entropy() / std::log(static_cast<double>(all.logits.size()));
    temperature = low + (high - low) * std::pow(share, options.dynatemp_exponent);
  }
  if (temperature < 1e-4) all.logits.resize(1);
  for (auto& [id, logit] : all.logits) logit /= std::max(temperature, 1e-4);
}

Distribution plain_chain(const SamplingOptions& options, std::span<const float> row,
                         bool is_xtc_drawn) {
  Plain all(row);
  std::vector<SamplerStage> stages = options.samplers;
  if (!options.has_own_order) {
    for (const SamplerName& known : kSamplerNames) stages.push_back(known.stage);
  }
  const auto min_keep = static_cast<std::size_t>(options.min_keep);
  for (const SamplerStage stage : stages) {
    if (stage == SamplerStage::kTopNSigma && options.top_n_sigma > 0) {
      plain_sigma(all, options.top_n_sigma);
    } else if (stage == SamplerStage::kTopK && options.top_k > 0) {
      const auto k = std::max(static_cast<std::size_t>(options.top_k), min_keep);
      all.logits.resize(std::min(k, all.logits.size()));
    } else if (stage == SamplerStage::kTypicalP && options.typical_p < 1) {
      plain_typical(all, options.typical_p, min_keep);
    } else if (stage == SamplerStage::kTopP && options.top_p < 1) {
      plain_top_p(all, options.top_p, min_keep);
    } else if (stage == SamplerStage::kMinP && options.min_p > 0) {
      const double best = all.logits.front().second;
      std::size_t kept = 0;
      while (kept < all.logits.size() &&
             (kept < min_keep || std::exp(all.logits[kept].second - best) >= options.min_p)) {
        ++kept;
      }
      all.logits.resize(std::max<std::size_t>(kept, 1));
    } else if (stage == SamplerStage::kXtc && is_xtc_drawn) {
      plain_xtc(all, options.xtc_threshold, min_keep);
    } else if (stage == SamplerStage::kTemperature) {
      plain_temperature(all, options);
    }
  }
  return all.distribution();
}

}  // namespace vernal::test
