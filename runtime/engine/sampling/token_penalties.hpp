// Penalties on tokens that were there before.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "engine/sampling/logits_math.hpp"
#include "engine/sampling/token_history.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// Repetition, presence and frequency penalty.
///   repetition   l > 0: l / penalty, else l * penalty, for tokens that occur
///   the others   l - presence - frequency * (how often it occurs)
/// Where they look is said at SamplingOptions::penalty_last_n.
/// Source   Keskar et al. 2019, "CTRL", section 4.1, with the sign rule that all use since; the API
///          of OpenAI for the other two
/// Thread   one at a time
class TokenPenalties {
 public:
  /// Both outlive the object.
  TokenPenalties(const SamplingOptions& options, const TokenHistory& history);

  void see_prompt();
  /// The newest token of the history has just come.
  void add_newest();
  /// It will be taken away from the history next.
  void remove_newest();

  /// Whether some logit changes.
  bool is_active() const noexcept;
  void apply(std::span<float> row) const;
  void apply(std::span<Candidate> candidates) const;

 private:
  using Counts = std::unordered_map<TokenId, std::uint32_t>;

  bool has_window() const noexcept {
    return options_.penalty_last_n != SamplingOptions::kOwnScopes;
  }
  // The tokens that the window holds.
  std::size_t window() const noexcept;
  bool counts_context() const noexcept;
  bool counts_answer() const noexcept;
  bool has_presence() const noexcept;
  // Of presence and frequency penalty.
  const Counts& occurrences() const noexcept { return has_window() ? context_ : answer_; }
  float repeated(float logit) const noexcept;
  float occurred(float logit, std::uint32_t times) const noexcept;
  static void drop(Counts& counts, TokenId token);

  const SamplingOptions& options_;
  const TokenHistory& history_;
  Counts context_;  // in the window; without one, in prompt and answer
  Counts answer_;
};

}  // namespace vernal
