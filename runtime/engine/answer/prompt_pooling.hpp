// The hidden states of a prompt, made into one vector.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/loaded_model.hpp"

namespace vernal {

/// Takes the hidden states of a prompt's tokens in their order. Sums are in double precision, so the
/// cut of a prompt into chunks does not show. Engine thread.
class PromptPooling {
 public:
  /// The hidden state of token `position`, float[width]. Position 0 begins anew, as after a prompt
  /// was put back.
  void add(Pooling pooling, std::size_t position, std::span<const float> hidden) {
    if (position == 0 || sums_.size() != hidden.size()) {
      sums_.assign(hidden.size(), 0.0);
      count_ = 0;
    }
    const bool is_mean = pooling == Pooling::kMean;
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      sums_[i] = static_cast<double>(hidden[i]) + (is_mean ? sums_[i] : 0.0);
    }
    count_ = is_mean ? count_ + 1 : 1;
  }

  /// The vector of what was added.
  std::vector<float> vector() const {
    std::vector<float> out;
    out.reserve(sums_.size());
    for (const double sum : sums_) {
      out.push_back(static_cast<float>(sum / static_cast<double>(count_)));
    }
    return out;
  }

 private:
  std::vector<double> sums_;
  std::size_t count_ = 0;
};

}  // namespace vernal
