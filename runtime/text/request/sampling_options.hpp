// How the tokens of an answer are chosen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

struct LogitBias {
  TokenId token = kNoToken;
  float bias = 0.0F;  ///< added to the logit; -infinity: the token never comes
};

/// A step of the sampling chain.
enum class SamplerStage : std::uint8_t {
  kPenalties,  ///< repetition, presence and frequency
  kDry,
  kTopNSigma,
  kTopK,
  kTypicalP,
  kTopP,
  kMinP,
  kXtc,
  kTemperature,
};

/// Settings of the sampling chain. Its steps come in the order of SamplerStage, unless `samplers`
/// names others. The values here leave every step out. What the steps do, and where they come from,
/// is said in engine/sampling.
struct SamplingOptions {
  /// Divides positive logits of tokens that are in the prompt or the answer, and multiplies
  /// negative ones.
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;   ///< taken from the logit of each token that is in the answer
  double frequency_penalty = 0.0;  ///< the same, times how often it is there
  /// The three penalties look at so many last tokens of prompt and answer together; -1: at all of
  /// them. kOwnScopes: each looks where it is said above.
  std::int32_t penalty_last_n = kOwnScopes;
  std::vector<LogitBias> logit_bias;

  double dry_multiplier = 0.0;  ///< 0: no penalty on repeated sequences
  double dry_base = 1.75;
  std::int32_t dry_allowed_length = 2;   ///< a repetition of so many tokens gets the least penalty
  std::int32_t dry_penalty_last_n = -1;  ///< so many last tokens are looked at; -1: all
  std::vector<std::string> dry_sequence_breakers = {"\n", ":", "\"", "*"};

  double top_n_sigma =
      0.0;                 ///< logits at most n standard deviations below the best; 0 or less: all
  std::int32_t top_k = 0;  ///< only the k most likely; 0: all
  double typical_p = 1.0;  ///< the tokens of the most usual surprise that reach this probability
  double top_p = 1.0;      ///< the most likely tokens that together reach this probability
  double min_p = 0.0;      ///< only tokens at least this times as likely as the most likely one
  double xtc_probability = 0.0;  ///< how often the most likely tokens are taken away
  double xtc_threshold = 0.1;    ///< that are at least so likely, but for the last of them
  std::int32_t min_keep = 0;     ///< the steps leave at least so many tokens
  double temperature =
      1.0;  ///< divides logits; 0, or below kLeastTemperature: the most likely token
  double dynatemp_range = 0.0;  ///< the temperature moves by so much to both sides with the entropy
  double dynatemp_exponent = 1.0;

  std::int32_t mirostat = 0;  ///< 1 or 2: takes the place of the steps that leave tokens out
  double mirostat_tau = 5.0;  ///< surprise to hold, in bits
  double mirostat_eta = 0.1;  ///< how fast

  /// The steps of the chain and their order; steps that are not named are left out.
  /// has_own_order false: all, in the usual order.
  std::vector<SamplerStage> samplers;
  bool has_own_order = false;

  static constexpr std::int32_t kOwnScopes = -2;
  /// Anything lower would only turn logits into infinities.
  static constexpr double kLeastTemperature = 1e-4;
};

}  // namespace vernal
