#include "engine/sampler.hpp"

#include <algorithm>
#include <cmath>

#include "engine/philox.hpp"

namespace vernal {
namespace {

// Stretch of a row whose weights are summed together when the whole row takes part in a draw.
constexpr std::size_t kDrawBlock = 1024;
// First guess at how many tokens reach top_p; grows until it suffices.
constexpr std::size_t kFirstNucleus = 256;
constexpr std::size_t kNucleusGrowth = 8;
// Stands for -infinity, which JSON cannot write.
constexpr double kLeastLogprob = -9999.0;

double weight(float logit, float max, double inverse_temperature) {
  return std::exp(static_cast<double>(logit - max) * inverse_temperature);
}

// Cuts sorted candidates behind the first whose sum of weights reaches share * total. False if all
// of them together do not.
bool cut_nucleus(std::vector<Candidate>& sorted, float max, double share, double total) {
  double sum = 0.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sum += weight(sorted[i].logit, max, 1.0);
    if (sum >= share * total) {
      sorted.resize(i + 1);
      return true;
    }
  }
  return false;
}

void select_nucleus(std::span<const float> logits, float max, double share,
                    std::vector<Candidate>& out) {
  const double total = sum_exp(logits, max, 1.0F);
  for (std::size_t count = kFirstNucleus;; count *= kNucleusGrowth) {
    select_top(logits, count, out);
    if (cut_nucleus(out, max, share, total) || out.size() == logits.size()) {
      return;
    }
  }
}

// `target` in [0, 1) of the total weight of the candidates, walked in ascending order of ids.
TokenId draw_from(std::span<const Candidate> candidates, float max, double inverse_temperature,
                  double target) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) {
    total += weight(candidate.logit, max, inverse_temperature);
  }
  double remaining = target * total;
  TokenId last = candidates.front().id;
  for (const Candidate& candidate : candidates) {
    const double mass = weight(candidate.logit, max, inverse_temperature);
    if (mass > 0.0) {
      last = candidate.id;
    }
    if (mass > remaining) {
      break;
    }
    remaining -= mass;
  }
  return last;
}

// The same over a whole row: finds the block first, then the token in it.
TokenId draw_from_row(std::span<const float> logits, float max, double inverse_temperature,
                      double target, std::vector<double>& sums) {
  const auto scale = static_cast<float>(inverse_temperature);
  const auto block = [&](std::size_t index) {
    const std::size_t begin = index * kDrawBlock;
    return logits.subspan(begin, std::min(kDrawBlock, logits.size() - begin));
  };
  sums.clear();
  double total = 0.0;
  for (std::size_t index = 0; index * kDrawBlock < logits.size(); ++index) {
    sums.push_back(sum_exp(block(index), max, scale));
    total += sums.back();
  }
  double remaining = target * total;
  std::size_t chosen = 0;
  for (std::size_t index = 0; index < sums.size(); ++index) {
    if (sums[index] > 0.0) {
      chosen = index;
    }
    if (sums[index] > remaining) {
      break;
    }
    remaining -= sums[index];
  }
  const std::span<const float> row = block(chosen);
  std::size_t last = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto mass = static_cast<double>(exp_nonpositive((row[i] - max) * scale));
    if (mass > 0.0) {
      last = i;
    }
    if (mass > remaining) {
      break;
    }
    remaining -= mass;
  }
  return static_cast<TokenId>(chosen * kDrawBlock + last);
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options, std::uint64_t seed, std::uint32_t choice,
                 std::optional<std::uint32_t> num_alternatives)
    : options_(options), seed_(seed), choice_(choice), num_alternatives_(num_alternatives) {}

void Sampler::see_prompt(std::span<const TokenId> prompt) {
  if (options_.repetition_penalty != 1.0) {
    seen_.insert(prompt.begin(), prompt.end());
  }
}

std::optional<SampledToken> Sampler::draw(std::span<const float> logits, std::uint64_t position,
                                          SamplerScratch& scratch) {
  const LogitsRange raw = find_range(logits);
  if (!raw.is_distribution()) {
    return std::nullopt;
  }
  SampledToken token;
  if (changes_logits()) {
    scratch.row.assign(logits.begin(), logits.end());
    apply_penalties(scratch.row);
    const LogitsRange changed = find_range(scratch.row);
    if (!changed.is_distribution()) {
      return std::nullopt;
    }
    token.chosen.id = choose(scratch.row, changed.max, position, scratch);
  } else {
    token.chosen.id = choose(logits, raw.max, position, scratch);
  }
  if (num_alternatives_) {
    add_probabilities(logits, raw.max, token, scratch.candidates);
  }
  count(token.chosen.id);
  return token;
}

bool Sampler::changes_logits() const noexcept {
  const bool penalises_answer =
      (options_.presence_penalty != 0.0 || options_.frequency_penalty != 0.0) &&
      !generated_.empty();
  return penalises_answer || !seen_.empty() || !options_.logit_bias.empty();
}

void Sampler::apply_penalties(std::span<float> row) const {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (const TokenId id : seen_) {
    if (static_cast<std::size_t>(id) < row.size()) {
      float& logit = row[static_cast<std::size_t>(id)];
      logit = logit > 0.0F ? logit / penalty : logit * penalty;
    }
  }
  for (const auto& [id, times] : generated_) {
    row[static_cast<std::size_t>(id)] -= static_cast<float>(
        options_.presence_penalty + options_.frequency_penalty * static_cast<double>(times));
  }
  for (const LogitBias& bias : options_.logit_bias) {
    if (static_cast<std::size_t>(bias.token) < row.size()) {
      row[static_cast<std::size_t>(bias.token)] += bias.bias;
    }
  }
}

TokenId Sampler::choose(std::span<const float> logits, float max, std::uint64_t position,
                        SamplerScratch& scratch) const {
  if (options_.temperature < SamplingOptions::kLeastTemperature) {
    return first_index_of(logits, max);
  }
  const double inverse_temperature = 1.0 / options_.temperature;
  const double target = uniform_draw(seed_, {choice_, static_cast<std::uint32_t>(position), 0});
  const bool takes_all = options_.top_k == 0 && options_.top_p >= 1.0 && options_.min_p <= 0.0;
  if (takes_all) {
    return draw_from_row(logits, max, inverse_temperature, target, scratch.block_sums);
  }
  filter(logits, max, scratch.candidates);
  return draw_from(scratch.candidates, max, inverse_temperature, target);
}

void Sampler::filter(std::span<const float> logits, float max,
                     std::vector<Candidate>& survivors) const {
  if (options_.top_k > 0) {
    select_top(logits, options_.top_k, survivors);
    if (options_.top_p < 1.0) {
      double total = 0.0;
      for (const Candidate& candidate : survivors) {
        total += weight(candidate.logit, max, 1.0);
      }
      cut_nucleus(survivors, max, options_.top_p, total);
    }
  } else if (options_.top_p < 1.0) {
    select_nucleus(logits, max, options_.top_p, survivors);
  } else {
    survivors.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      survivors.push_back({static_cast<TokenId>(i), logits[i]});
    }
  }
  if (options_.min_p > 0.0) {
    const auto least = static_cast<float>(static_cast<double>(max) + std::log(options_.min_p));
    std::erase_if(survivors, [&](const Candidate& c) { return c.logit < least && c.logit != max; });
  }
  std::sort(survivors.begin(), survivors.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
}

void Sampler::add_probabilities(std::span<const float> logits, float max, SampledToken& token,
                                std::vector<Candidate>& candidates) const {
  const double normaliser = static_cast<double>(max) + std::log(sum_exp(logits, max, 1.0F));
  const auto logprob = [&](float logit) {
    return std::max(static_cast<double>(logit) - normaliser, kLeastLogprob);
  };
  token.chosen.logprob = logprob(logits[static_cast<std::size_t>(token.chosen.id)]);
  select_top(logits, *num_alternatives_, candidates);
  for (const Candidate& candidate : candidates) {
    token.alternatives.push_back({candidate.id, logprob(candidate.logit)});
  }
}

void Sampler::count(TokenId token) {
  ++generated_[token];
  if (options_.repetition_penalty != 1.0) {
    seen_.insert(token);
  }
}

}  // namespace vernal
