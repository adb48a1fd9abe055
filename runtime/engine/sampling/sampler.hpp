// One row of logits to one token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/sampling/logits_math.hpp"
#include "text/request/sampling_options.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Log-probability of one token.
struct TokenProbability {
  TokenId id = kNoToken;
  double logprob = 0.0;  ///< natural logarithm of the softmax over the raw logits; at least -9999
};

/// What a draw gave.
struct SampledToken {
  TokenProbability chosen;  ///< logprob is set only if probabilities were asked for
  std::vector<TokenProbability> alternatives;  ///< best first
};

/// Row-sized working memory, shared by all samplers of an engine thread.
struct SamplerScratch {
  std::vector<float> row;
  std::vector<Candidate> candidates;
  std::vector<double> block_sums;
};

/// Chooses the tokens of one choice of a request. A draw depends on the options, the seed, the
/// choice, the position, the tokens so far and the logits. It does not depend on the rest of the
/// batch.
/// Thread   one at a time
class Sampler {
 public:
  /// `options` outlives the object. `num_alternatives`: log-probabilities are computed, with that
  /// many most likely tokens; nullopt: none are.
  Sampler(const SamplingOptions& options, std::uint64_t seed, std::uint32_t choice,
          std::optional<std::uint32_t> num_alternatives = std::nullopt);

  /// Counts the tokens of the prompt, for the repetition penalty.
  void see_prompt(std::span<const TokenId> prompt);

  /// Draws the token for `position` from its logits and counts it as generated. Ties go to the
  /// lowest id. nullopt: the row is no distribution (a NaN, an infinity, or nothing but -infinity).
  std::optional<SampledToken> draw(std::span<const float> logits, std::uint64_t position,
                                   SamplerScratch& scratch);

 private:
  bool changes_logits() const noexcept;
  void apply_penalties(std::span<float> row) const;
  TokenId choose(std::span<const float> logits, float max, std::uint64_t position,
                 SamplerScratch& scratch) const;
  // Leaves the survivors of top_k, top_p and min_p in scratch.candidates, ids ascending.
  void filter(std::span<const float> logits, float max, std::vector<Candidate>& survivors) const;
  bool select_few(std::span<const float> logits, float max,
                  std::vector<Candidate>& survivors) const;
  void add_probabilities(std::span<const float> logits, float max, SampledToken& token,
                         std::vector<Candidate>& candidates) const;
  void count(TokenId token);

  const SamplingOptions& options_;
  std::uint64_t seed_;
  std::uint32_t choice_;
  std::optional<std::uint32_t> num_alternatives_;
  std::unordered_map<TokenId, std::uint32_t> generated_;  // how often
  std::unordered_set<TokenId> seen_;  // in prompt or answer; filled only for a repetition penalty
};

}  // namespace vernal
