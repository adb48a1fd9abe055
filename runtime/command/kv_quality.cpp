#include "command/kv_quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "command/text_scores.hpp"
#include "engine/sampling/logits_math.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::array<std::string_view, 10> kFormats = {"f32",  "f16",  "bf16", "q8_0", "q6_0",
                                                       "q5_0", "q5_1", "q4_0", "q4_1", "iq4_nl"};

std::string require_format(std::string_view name, std::string_view text) {
  if (std::ranges::find(kFormats, name) != kFormats.end()) return std::string(name);
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("--kv \"{}\": expected a format or KEYS/VALUES of {}",
                          printable(std::string(text)), fmt::join(kFormats, ", ")));
}

/// Sum over the row of p log(p / q).
double divergence(std::span<const float> p, double p_log_sum, std::span<const float> q,
                  double q_log_sum) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double log_p = static_cast<double>(p[i]) - p_log_sum;
    const float weight = exp_nonpositive(static_cast<float>(std::min(log_p, 0.0)));
    if (weight == 0.0F) continue;
    sum += static_cast<double>(weight) * (log_p - (static_cast<double>(q[i]) - q_log_sum));
  }
  return std::max(sum, 0.0);
}

TokenId likeliest(std::span<const float> logits) {
  return first_index_of(logits, find_range(logits).max);
}

double worst_divergence_of(const KvResult& result) {
  double worst = 0;
  for (const KvQuality& quality : result.qualities) worst = std::max(worst, quality.divergence);
  return worst;
}

bool is_close(const KvResult& result) {
  return result.refusal.empty() &&
         std::ranges::all_of(result.qualities, [](const KvQuality& quality) {
           return quality.divergence <= kMostDivergence && quality.agreement >= kLeastAgreement;
         });
}

}  // namespace

KvCacheSettings parse_kv_format(std::string_view text) {
  const std::size_t slash = text.find('/');
  KvCacheSettings kv;
  kv.keys = require_format(text.substr(0, slash), text);
  kv.values =
      slash == std::string_view::npos ? kv.keys : require_format(text.substr(slash + 1), text);
  return kv;
}

std::string kv_format_text(const KvCacheSettings& kv) {
  return kv.keys == kv.values ? kv.keys : kv.keys + "/" + kv.values;
}

void KvComparison::add(std::uint64_t i, std::span<const float> logits, TokenId next) {
  const auto before = std::span(baseline_.logits).subspan(i * logits.size(), logits.size());
  const double log_sum = log_sum_of(logits);
  const double row = divergence(before, baseline_.log_sums[i], logits, log_sum);
  rows_ += 1;
  divergence_ += row;
  worst_ = std::max(worst_, row);
  if (likeliest(before) == likeliest(logits)) agreeing_ += 1;
  const auto token = static_cast<std::size_t>(next);
  log_loss_ += log_sum - static_cast<double>(logits[token]);
  baseline_loss_ += baseline_.log_sums[i] - static_cast<double>(before[token]);
}

KvQuality KvComparison::result() const {
  return {depth_,
          divergence_ / rows_,
          worst_,
          agreeing_ / rows_,
          std::exp(log_loss_ / rows_),
          std::exp(baseline_loss_ / rows_)};
}

const KvResult* recommended_format(std::span<const KvResult> results) {
  const KvResult* best = nullptr;
  for (const KvResult& result : results) {
    if (!is_close(result)) continue;
    const auto rank = [](const KvResult& r) {
      return std::pair(r.bytes_per_token, worst_divergence_of(r));
    };
    if (best == nullptr || rank(result) < rank(*best)) best = &result;
  }
  return best;
}

}  // namespace vernal
