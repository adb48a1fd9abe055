#include "engine/sampling/sampling_chain.hpp"

#include <algorithm>

#include "text/request/sampling_bounds.hpp"

namespace vernal {
namespace {

bool changes_logits_only(SamplerStage stage) {
  return stage == SamplerStage::kPenalties || stage == SamplerStage::kDry;
}

}  // namespace

bool needs_chain(const SamplingOptions& options) noexcept {
  return options.has_own_order || options.typical_p < 1.0 || options.top_n_sigma > 0.0 ||
         options.xtc_probability > 0.0 || options.dynatemp_range > 0.0 || options.mirostat != 0 ||
         options.min_keep > 1;
}

SamplingChain::SamplingChain(const SamplingOptions& options) : options_(options) {
  if (options.has_own_order) {
    stages_ = options.samplers;
  } else {
    for (const SamplerName& known : kSamplerNames) stages_.push_back(known.stage);
  }
  if (options.mirostat != 0) {
    std::erase_if(stages_, [](SamplerStage stage) {
      return !changes_logits_only(stage) && stage != SamplerStage::kTemperature;
    });
  }
  while (num_on_row_ < stages_.size() && changes_logits_only(stages_[num_on_row_])) ++num_on_row_;
}

bool SamplingChain::begins_with(SamplerStage stage) const noexcept {
  const auto end = stages_.begin() + static_cast<std::ptrdiff_t>(num_on_row_);
  return std::find(stages_.begin(), end, stage) != end;
}

bool SamplingChain::has(SamplerStage stage) const noexcept {
  return std::find(stages_.begin(), stages_.end(), stage) != stages_.end();
}

void SamplingChain::apply(Candidates& candidates, const TokenPenalties& penalties,
                          const DryPenalty& dry, double xtc_draw) const {
  for (std::size_t i = num_on_row_; i < stages_.size(); ++i) {
    const SamplerStage stage = stages_[i];
    if (stage == SamplerStage::kPenalties) {
      penalties.apply(std::span(candidates));
    } else if (stage == SamplerStage::kDry) {
      dry.apply(std::span(candidates));
    } else if (stage != SamplerStage::kXtc || xtc_draw < options_.xtc_probability) {
      apply(stage, candidates);
    }
  }
}

void SamplingChain::apply(SamplerStage stage, Candidates& candidates) const {
  const auto min_keep = static_cast<std::size_t>(std::max(options_.min_keep, 1));
  switch (stage) {
    case SamplerStage::kTopNSigma:
      if (options_.top_n_sigma > 0.0) keep_top_n_sigma(candidates, options_.top_n_sigma, min_keep);
      return;
    case SamplerStage::kTopK:
      if (options_.top_k > 0) {
        keep_top_k(candidates, std::max(static_cast<std::size_t>(options_.top_k), min_keep));
      }
      return;
    case SamplerStage::kTypicalP:
      if (options_.typical_p < 1.0) keep_typical_p(candidates, options_.typical_p, min_keep);
      return;
    case SamplerStage::kTopP:
      if (options_.top_p < 1.0) keep_top_p(candidates, options_.top_p, min_keep);
      return;
    case SamplerStage::kMinP:
      if (options_.min_p > 0.0) keep_min_p(candidates, options_.min_p, min_keep);
      return;
    case SamplerStage::kXtc:
      drop_top_choices(candidates, options_.xtc_threshold, min_keep);
      return;
    default: {
      const double temperature =
          options_.dynatemp_range > 0.0
              ? dynamic_temperature(candidates, options_.temperature, options_.dynatemp_range,
                                    options_.dynatemp_exponent)
              : options_.temperature;
      apply_temperature(candidates, temperature);
    }
  }
}

}  // namespace vernal
