// One row of logits to one token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampling/dry_penalty.hpp"
#include "engine/sampling/logits_math.hpp"
#include "engine/sampling/mirostat.hpp"
#include "engine/sampling/sampling_chain.hpp"
#include "engine/sampling/token_history.hpp"
#include "engine/sampling/token_penalties.hpp"
#include "engine/sampling/token_probability.hpp"
#include "text/request/sampling_options.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

class Tokenizer;

/// Row-sized working memory, shared by all samplers of an engine thread.
struct SamplerScratch {
  std::vector<float> row;
  std::vector<Candidate> candidates;
  std::vector<double> block_sums;
};

/// Which tokens one draw may give. Applied before everything else. Log-probabilities know nothing of
/// it.
struct TokenLimits {
  /// Bit i % 32 of word i / 32: token i may come. Tokens beyond the words may not. Empty: all may.
  std::span<const std::uint32_t> allowed = {};
  /// These may not; two lists, because they come from two places.
  std::span<const TokenId> forbidden = {};
  std::span<const TokenId> also_forbidden = {};
  /// How many draws for this position were taken back: each gets other random numbers.
  std::uint32_t num_retries = 0;

  bool empty() const noexcept {
    return allowed.empty() && forbidden.empty() && also_forbidden.empty();
  }
};

/// Chooses the tokens of one choice of a request. A draw depends on the options, the seed, the
/// choice, the position, the tokens so far and the logits. It does not depend on the rest of the
/// batch.
/// Thread   one at a time
class Sampler {
 public:
  /// `options` and `tokenizer` outlive the object. `num_alternatives`: log-probabilities are
  /// computed, with that many most likely tokens; nullopt: none are. `tokenizer`: where sequence
  /// breakers are found; null: nowhere.
  Sampler(const SamplingOptions& options, std::uint64_t seed, std::uint32_t choice,
          std::optional<std::uint32_t> num_alternatives = std::nullopt,
          const Tokenizer* tokenizer = nullptr);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Takes the prompt into account, for the penalties. Borrows it. Before the first draw.
  void see_prompt(std::span<const TokenId> prompt);

  /// Draws the token for `position` from its logits and counts it as generated. Ties go to the
  /// lowest id. nullopt: the row is no distribution (a NaN, an infinity, or nothing but -infinity),
  /// or `limits` leave nothing of it.
  std::optional<SampledToken> draw(std::span<const float> logits, std::uint64_t position,
                                   SamplerScratch& scratch, const TokenLimits& limits = {});

  /// Counts a token that was not drawn as generated.
  void count(TokenId token);
  /// Takes the last `count` draws back.
  void forget(std::size_t count) noexcept;

 private:
  bool penalises() const noexcept;
  void change(std::span<float> row, const TokenLimits& limits);
  TokenId choose(std::span<const float> logits, float max, std::uint64_t position,
                 std::uint32_t num_retries, SamplerScratch& scratch);
  TokenId choose_by_chain(std::span<const float> logits, std::uint64_t position,
                          std::uint32_t num_retries, Candidates& candidates);
  double random(std::uint64_t position, std::uint32_t draw) const noexcept;

  const SamplingOptions& options_;
  std::uint64_t seed_;
  std::uint32_t choice_;
  std::optional<std::uint32_t> num_alternatives_;
  TokenHistory history_;
  TokenPenalties penalties_;
  DryPenalty dry_;
  SamplingChain chain_;
  bool needs_chain_;
  std::optional<Mirostat> mirostat_;
};

}  // namespace vernal
