// The steps of the sampling chain in implementations that are as plain as can be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "text/request/sampling_options.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal::test {

using Distribution = std::map<TokenId, double>;

/// Logits of a normal distribution, the same for the same seed.
std::vector<float> row_of(std::size_t size, std::uint32_t seed);

/// What is left of a row: probabilities in double precision, everything sorted.
struct Plain {
  std::vector<std::pair<TokenId, double>> logits;  // best first

  explicit Plain(std::span<const float> row);
  void sort();
  std::vector<double> probabilities() const;
  double entropy() const;
  Distribution distribution() const;
};

/// The temperature, also a dynamic one.
void plain_temperature(Plain& all, const SamplingOptions& options);

/// What the tokens' probabilities are after all stages.
///   is_xtc_drawn  whether XTC takes place, which is drawn for each token
Distribution plain_chain(const SamplingOptions& options, std::span<const float> row,
                         bool is_xtc_drawn);

}  // namespace vernal::test
