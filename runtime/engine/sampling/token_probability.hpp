// Log-probabilities of tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/logits_math.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Log-probability of one token.
struct TokenProbability {
  TokenId id = kNoToken;
  double logprob = 0.0;  ///< natural logarithm of the softmax over the raw logits; at least -9999
};

/// A token at its place in a text.
struct SampledToken {
  TokenProbability chosen;  ///< logprob is set only if probabilities were asked for
  std::vector<TokenProbability> alternatives;  ///< best first
};

/// The log-probability of `token`, and of the `num_alternatives` most likely ones.
///   logits       a distribution; `max` is its greatest value
///   candidates   working memory
SampledToken probability_of(std::span<const float> logits, float max, TokenId token,
                            std::uint32_t num_alternatives, std::vector<Candidate>& candidates);

}  // namespace vernal
