// A token in proportion to its weight e^((logit - max) / temperature).
#pragma once

#include <span>
#include <vector>

#include "engine/sampling/logits_math.hpp"

namespace vernal {

/// The token at `target` in [0, 1) of the total weight of the candidates, walked in their order.
TokenId draw_from(std::span<const Candidate> candidates, float max, float inverse_temperature,
                  double target);

/// The same over a whole row: finds the block first, then the token in it. `sums` is working memory.
TokenId draw_from_row(std::span<const float> logits, float max, float inverse_temperature,
                      double target, std::vector<double>& sums);

}  // namespace vernal
