#include "engine/sampling/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/sampling/philox.hpp"

namespace vernal {
namespace {

// Stretch of a row whose weights are summed together when the whole row takes part in a draw.
constexpr std::size_t kDrawBlock = 1024;
// The most likely tokens that are tried as a nucleus first: models are mostly surer than that.
constexpr std::size_t kUsualNucleus = 256;
// Stands for -infinity, which JSON cannot write.
constexpr double kLeastLogprob = -9999.0;

double weight(float logit, float max, float inverse_temperature = 1.0F) {
  return static_cast<double>(exp_nonpositive((logit - max) * inverse_temperature));
}

// The tokens that together reach `share` of the probability, found without sorting the row: its
// mass is added up in classes of like logits, and only the class in which the share is reached is
// sorted.
class Nucleus {
 public:
  Nucleus(std::span<const float> logits, float max, double share) : logits_(logits), max_(max) {
    for (const float logit : logits) {
      masses_[class_of(logit)] += weight(logit, max);
    }
    double total = 0.0;
    for (const double mass : masses_) {
      total += mass;
    }
    double above = 0.0;
    while (last_class_ + 1 < kNumClasses && above + masses_[last_class_] < share * total) {
      above += masses_[last_class_++];
    }
    find_last(share * total - above);
  }

  bool contains(TokenId id) const noexcept {
    const Candidate candidate{id, logits_[static_cast<std::size_t>(id)]};
    return !(last_ < candidate);
  }

 private:
  // Logits this far below the maximum weigh nothing; the last class holds all of them.
  static constexpr float kRange = 32.0F;
  static constexpr std::size_t kNumClasses = 1024;

  std::size_t class_of(float logit) const noexcept {
    const float distance =
        std::min(max_ - logit, kRange) * (static_cast<float>(kNumClasses - 1) / kRange);
    return static_cast<std::size_t>(distance);
  }

  void find_last(double missing) {
    std::vector<Candidate> members;
    for (std::size_t i = 0; i < logits_.size(); ++i) {
      if (class_of(logits_[i]) == last_class_) {
        members.push_back({static_cast<TokenId>(i), logits_[i]});
      }
    }
    std::sort(members.begin(), members.end());
    last_ = members.back();
    for (const Candidate& member : members) {
      missing -= weight(member.logit, max_);
      if (missing <= 0.0) {
        last_ = member;
        return;
      }
    }
  }

  std::span<const float> logits_;
  float max_;
  std::array<double, kNumClasses> masses_{};
  std::size_t last_class_ = 0;
  Candidate last_;  // the least likely one that belongs to it
};

double total_weight(std::span<const Candidate> candidates, float max) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) {
    total += weight(candidate.logit, max);
  }
  return total;
}

// Cuts sorted candidates behind the first whose sum of weights reaches `wanted`. False: all
// together do not.
bool cut_nucleus(std::vector<Candidate>& sorted, float max, double wanted) {
  double sum = 0.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sum += weight(sorted[i].logit, max);
    if (sum >= wanted) {
      sorted.resize(i + 1);
      return true;
    }
  }
  return false;
}

// `target` in [0, 1) of the total weight of the candidates, walked in ascending order of ids.
TokenId draw_from(std::span<const Candidate> candidates, float max, float inverse_temperature,
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
TokenId draw_from_row(std::span<const float> logits, float max, float inverse_temperature,
                      double target, std::vector<double>& sums) {
  const auto block = [&](std::size_t index) {
    const std::size_t begin = index * kDrawBlock;
    return logits.subspan(begin, std::min(kDrawBlock, logits.size() - begin));
  };
  sums.clear();
  double total = 0.0;
  for (std::size_t index = 0; index * kDrawBlock < logits.size(); ++index) {
    sums.push_back(sum_exp(block(index), max, inverse_temperature));
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
    const double mass = weight(row[i], max, inverse_temperature);
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
  const auto inverse_temperature = static_cast<float>(1.0 / options_.temperature);
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
  const float least =
      options_.min_p > 0.0
          ? std::min(max, static_cast<float>(static_cast<double>(max) + std::log(options_.min_p)))
          : -std::numeric_limits<float>::infinity();
  if (select_few(logits, max, survivors)) {
    std::erase_if(survivors, [&](const Candidate& candidate) { return candidate.logit < least; });
    std::sort(survivors.begin(), survivors.end(),
              [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
    return;
  }
  std::optional<Nucleus> nucleus;
  if (options_.top_p < 1.0) {
    nucleus.emplace(logits, max, options_.top_p);
  }
  survivors.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (logits[i] >= least && (!nucleus || nucleus->contains(id))) {
      survivors.push_back({id, logits[i]});
    }
  }
}

// What top_k and top_p leave, sorted by likelihood, if that is few; false: it may be most of the
// row.
bool Sampler::select_few(std::span<const float> logits, float max,
                         std::vector<Candidate>& survivors) const {
  const bool has_nucleus = options_.top_p < 1.0;
  if (options_.top_k > 0) {
    select_top(logits, options_.top_k, survivors);
    if (has_nucleus) {
      cut_nucleus(survivors, max, options_.top_p * total_weight(survivors, max));
    }
    return true;
  }
  if (!has_nucleus) {
    return false;
  }
  select_top(logits, kUsualNucleus, survivors);
  return cut_nucleus(survivors, max, options_.top_p * sum_exp(logits, max, 1.0F));
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
