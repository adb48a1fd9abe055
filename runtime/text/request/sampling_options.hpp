// How the tokens of an answer are chosen.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

struct LogitBias {
  TokenId token = kNoToken;
  float bias = 0.0F;  ///< added to the logit
};

/// Settings of the sampling chain, which applies them in the order of the members. The values here
/// leave every step out.
struct SamplingOptions {
  /// Divides positive logits of tokens that are in the prompt or the answer, and multiplies
  /// negative ones.
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;   ///< taken from the logit of each token that is in the answer
  double frequency_penalty = 0.0;  ///< the same, times how often it is there
  std::vector<LogitBias> logit_bias;
  std::uint32_t top_k = 0;  ///< only the k most likely; 0: all
  double top_p = 1.0;       ///< the most likely tokens that together reach this probability
  double min_p = 0.0;       ///< only tokens at least this times as likely as the most likely one
  double temperature =
      1.0;  ///< divides logits; 0, or below kLeastTemperature: the most likely token

  /// Anything lower would only turn logits into infinities.
  static constexpr double kLeastTemperature = 1e-4;
};

}  // namespace vernal
