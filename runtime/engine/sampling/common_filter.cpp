#include "engine/sampling/common_filter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace vernal {
namespace {

// The most likely tokens that are tried as a nucleus first: models are mostly surer than that.
constexpr std::size_t kUsualNucleus = 256;

double weight(float logit, float max) { return static_cast<double>(exp_nonpositive(logit - max)); }

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

// What top_k and top_p leave, sorted by likelihood, if that is few; false: it may be most of the
// row.
bool select_few(const SamplingOptions& options, std::span<const float> logits, float max,
                std::vector<Candidate>& survivors) {
  const bool has_nucleus = options.top_p < 1.0;
  if (options.top_k > 0) {
    select_top(logits, static_cast<std::size_t>(options.top_k), survivors);
    if (has_nucleus) {
      cut_nucleus(survivors, max, options.top_p * total_weight(survivors, max));
    }
    return true;
  }
  if (!has_nucleus) {
    return false;
  }
  select_top(logits, kUsualNucleus, survivors);
  return cut_nucleus(survivors, max, options.top_p * sum_exp(logits, max, 1.0F));
}

}  // namespace

void keep_common(const SamplingOptions& options, std::span<const float> logits, float max,
                 std::vector<Candidate>& survivors) {
  const float least =
      options.min_p > 0.0
          ? std::min(max, static_cast<float>(static_cast<double>(max) + std::log(options.min_p)))
          : -std::numeric_limits<float>::infinity();
  if (select_few(options, logits, max, survivors)) {
    std::erase_if(survivors, [&](const Candidate& candidate) { return candidate.logit < least; });
    std::sort(survivors.begin(), survivors.end(),
              [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
    return;
  }
  std::optional<Nucleus> nucleus;
  if (options.top_p < 1.0) {
    nucleus.emplace(logits, max, options.top_p);
  }
  survivors.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (logits[i] >= least && (!nucleus || nucleus->contains(id))) {
      survivors.push_back({id, logits[i]});
    }
  }
}

}  // namespace vernal
