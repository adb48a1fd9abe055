// `vernal kvcheck`: what a format of the KV cache changes in a model's answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/deployment.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// "q8_0", or "q8_0/q4_0" for keys and values apart; rotated.
/// Errors  INVALID_ARGUMENT, with the text: an unknown format, or no format
KvCacheSettings parse_kv_format(std::string_view text);
/// As parse_kv_format takes it.
std::string kv_format_text(const KvCacheSettings& kv);

/// The rows of logits of a text after one depth, in f16: what others are compared with.
struct KvBaseline {
  std::vector<float> logits;     // [rows][vocabulary]
  std::vector<double> log_sums;  // [rows]
};

/// One format at one depth.
struct KvQuality {
  std::uint64_t depth = 0;         ///< tokens before the first that is scored
  double divergence = 0;           ///< mean of sum p log(p / q), nats; p is f16's distribution
  double worst_divergence = 0;     ///< of any position
  double agreement = 0;            ///< share of positions with the same likeliest token
  double perplexity = 0;           ///< exp of the mean of -log q(next token)
  double baseline_perplexity = 0;  ///< the same of f16
};

/// Compares rows with those of a baseline as they come.
class KvComparison {
 public:
  KvComparison(const KvBaseline& baseline, std::uint64_t depth)
      : baseline_(baseline), depth_(depth) {}
  /// Row i, behind which the text goes on with `next`.
  void add(std::uint64_t i, std::span<const float> logits, TokenId next);
  /// Means over the rows so far; at least one.
  KvQuality result() const;

 private:
  const KvBaseline& baseline_;
  std::uint64_t depth_;
  double rows_ = 0;
  double divergence_ = 0;
  double worst_ = 0;
  double agreeing_ = 0;
  double log_loss_ = 0;
  double baseline_loss_ = 0;
};

/// A format that was measured, or refused.
struct KvResult {
  KvCacheSettings kv;
  std::uint64_t bytes_per_token = 0;
  std::string refusal;               ///< empty: it was measured
  std::vector<KvQuality> qualities;  ///< by depth
};

/// A format is recommended only if it stays within both at every depth.
inline constexpr double kMostDivergence = 0.01;
inline constexpr double kLeastAgreement = 0.95;

/// The smallest format within the bounds, of equally small ones the closest to f16; null: none, f16
/// should stay.
const KvResult* recommended_format(std::span<const KvResult> results);

}  // namespace vernal
