#include "engine/sampling/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/common_filter.hpp"
#include "engine/sampling/philox.hpp"
#include "engine/sampling/weighted_draw.hpp"

namespace vernal {
namespace {

// What the random numbers of one position are for. A retry uses the next ones.
constexpr std::uint32_t kTokenDraw = 0;
constexpr std::uint32_t kXtcDraw = 1;
constexpr std::uint32_t kDrawsOfAttempt = 2;

void forbid(std::span<float> row, std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) {
    if (static_cast<std::size_t>(token) < row.size()) {
      row[static_cast<std::size_t>(token)] = -std::numeric_limits<float>::infinity();
    }
  }
}

void apply_limits(std::span<float> row, const TokenLimits& limits) {
  constexpr std::size_t kBits = 32;
  for (std::size_t i = 0; i < row.size() && !limits.allowed.empty(); ++i) {
    const std::uint32_t word = i / kBits < limits.allowed.size() ? limits.allowed[i / kBits] : 0;
    if ((word >> (i % kBits) & 1U) == 0) row[i] = -std::numeric_limits<float>::infinity();
  }
  forbid(row, limits.forbidden);
  forbid(row, limits.also_forbidden);
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options, std::uint64_t seed, std::uint32_t choice,
                 std::optional<std::uint32_t> num_alternatives, const Tokenizer* tokenizer)
    : options_(options),
      seed_(seed),
      choice_(choice),
      num_alternatives_(num_alternatives),
      penalties_(options, history_),
      dry_(options, history_, tokenizer),
      chain_(options),
      needs_chain_(needs_chain(options)) {
  if (options.mirostat != 0) mirostat_.emplace(options);
}

void Sampler::see_prompt(std::span<const TokenId> prompt) {
  history_.set_prompt(prompt);
  penalties_.see_prompt();
  dry_.see_new();
}

std::optional<SampledToken> Sampler::draw(std::span<const float> logits, std::uint64_t position,
                                          SamplerScratch& scratch, const TokenLimits& limits) {
  const LogitsRange raw = find_range(logits);
  if (!raw.is_distribution()) {
    return std::nullopt;
  }
  SampledToken token;
  if (penalises() || !options_.logit_bias.empty() || !limits.empty()) {
    scratch.row.assign(logits.begin(), logits.end());
    change(scratch.row, limits);
    const LogitsRange changed = find_range(scratch.row);
    if (!changed.is_distribution()) {
      return std::nullopt;
    }
    token.chosen.id = choose(scratch.row, changed.max, position, limits.num_retries, scratch);
  } else {
    token.chosen.id = choose(logits, raw.max, position, limits.num_retries, scratch);
  }
  if (num_alternatives_) {
    token =
        probability_of(logits, raw.max, token.chosen.id, *num_alternatives_, scratch.candidates);
  }
  count(token.chosen.id);
  return token;
}

bool Sampler::penalises() const noexcept { return penalties_.is_active() || dry_.is_on(); }

// What is done to the row itself: the limits first, then the penalties that begin the chain, then the
// biases.
void Sampler::change(std::span<float> row, const TokenLimits& limits) {
  apply_limits(row, limits);
  if (penalties_.is_active() && chain_.begins_with(SamplerStage::kPenalties)) penalties_.apply(row);
  if (dry_.is_on() && chain_.has(SamplerStage::kDry)) {
    dry_.find();
    if (chain_.begins_with(SamplerStage::kDry)) dry_.apply(row);
  }
  for (const LogitBias& bias : options_.logit_bias) {
    if (static_cast<std::size_t>(bias.token) < row.size()) {
      row[static_cast<std::size_t>(bias.token)] += bias.bias;
    }
  }
}

TokenId Sampler::choose(std::span<const float> logits, float max, std::uint64_t position,
                        std::uint32_t num_retries, SamplerScratch& scratch) {
  if (needs_chain_) {
    return choose_by_chain(logits, position, num_retries, scratch.candidates);
  }
  if (options_.temperature < SamplingOptions::kLeastTemperature) {
    return first_index_of(logits, max);
  }
  const auto inverse_temperature = static_cast<float>(1.0 / options_.temperature);
  const double target = random(position, num_retries * kDrawsOfAttempt + kTokenDraw);
  const bool takes_all = options_.top_k == 0 && options_.top_p >= 1.0 && options_.min_p <= 0.0;
  if (takes_all) {
    return draw_from_row(logits, max, inverse_temperature, target, scratch.block_sums);
  }
  keep_common(options_, logits, max, scratch.candidates);
  return draw_from(scratch.candidates, max, inverse_temperature, target);
}

TokenId Sampler::choose_by_chain(std::span<const float> logits, std::uint64_t position,
                                 std::uint32_t num_retries, Candidates& candidates) {
  candidates.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isfinite(logits[i])) candidates.push_back({static_cast<TokenId>(i), logits[i]});
  }
  const std::uint32_t first_draw = num_retries * kDrawsOfAttempt;
  chain_.apply(candidates, penalties_, dry_, random(position, first_draw + kXtcDraw));
  if (mirostat_) mirostat_->truncate(candidates, logits.size());
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  const TokenId drawn = draw_from(candidates, greatest_logit(candidates), 1.0F,
                                  random(position, first_draw + kTokenDraw));
  if (mirostat_) mirostat_->observe(candidates, drawn);
  return drawn;
}

void Sampler::count(TokenId token) {
  history_.push(token);
  penalties_.add_newest();
  dry_.see_new();
}

void Sampler::forget(std::size_t count) noexcept {
  for (; count > 0; --count) {
    penalties_.remove_newest();
    dry_.remove_newest();
    if (mirostat_) mirostat_->remove_newest();
    history_.pop();
  }
}

double Sampler::random(std::uint64_t position, std::uint32_t draw) const noexcept {
  return uniform_draw(seed_, {choice_, static_cast<std::uint32_t>(position), draw});
}

}  // namespace vernal
