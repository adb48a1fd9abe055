// The sampling chain in general: any steps in any order. Requests with the common settings do not
// need it, see sampler.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampling/dry_penalty.hpp"
#include "engine/sampling/token_penalties.hpp"
#include "engine/sampling/truncation.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// Whether the settings ask for more than penalties, top_k, top_p, min_p and a fixed temperature in
/// the usual order.
bool needs_chain(const SamplingOptions& options) noexcept;

/// The order of the steps that one choice's tokens go through. Immutable.
class SamplingChain {
 public:
  /// `options` outlives the object.
  explicit SamplingChain(const SamplingOptions& options);

  /// Whether the chain has that step, and all before it change logits only. Such steps are applied to
  /// the row.
  bool begins_with(SamplerStage stage) const noexcept;
  bool has(SamplerStage stage) const noexcept;

  /// Applies the steps that were not applied to the row, except those that mirostat replaces.
  ///   xtc_draw   a number in [0, 1)
  void apply(Candidates& candidates, const TokenPenalties& penalties, const DryPenalty& dry,
             double xtc_draw) const;

 private:
  void apply(SamplerStage stage, Candidates& candidates) const;

  const SamplingOptions& options_;
  std::vector<SamplerStage> stages_;
  std::size_t num_on_row_ = 0;  // stages_ that are applied to the row
};

}  // namespace vernal
