// Sampling that holds the surprise of a text steady.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/sampling/truncation.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// Keeps a bound mu on the surprise of a token, -log2 P, and moves it after each token by
///   mu -= eta * (surprise - tau),       at first mu = 2 tau.
/// Version 1 estimates Zipf's exponent from the 100 likeliest tokens and keeps the k of that law that
/// have the surprise mu. Version 2 keeps the tokens below mu.
/// Source   Basu et al. 2020, "Mirostat: a neural text decoding algorithm that directly controls
///          perplexity", algorithms 1 and 2
/// Thread   one at a time
class Mirostat {
 public:
  /// `options` outlives the object; its mirostat is 1 or 2.
  explicit Mirostat(const SamplingOptions& options)
      : options_(options), bounds_{2.0 * options.mirostat_tau} {}

  /// Leaves out what is too surprising; at least one stays.
  ///   vocabulary_size   tokens of the whole row
  void truncate(Candidates& candidates, std::size_t vocabulary_size) const;
  /// `drawn` was drawn from the candidates that truncate() left.
  void observe(const Candidates& candidates, TokenId drawn);
  /// Forgets the newest token.
  void remove_newest() noexcept { bounds_.pop_back(); }

  double bound() const noexcept { return bounds_.back(); }

 private:
  void truncate_by_law(Candidates& candidates, std::size_t vocabulary_size) const;
  void truncate_by_surprise(Candidates& candidates) const;

  const SamplingOptions& options_;
  std::vector<double> bounds_;  // mu before each token; the last is the present one
};

}  // namespace vernal
