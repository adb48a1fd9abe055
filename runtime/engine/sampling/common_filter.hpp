// The steps of the sampling chain that nearly all requests ask for, without a copy of the row.
#pragma once

#include <span>
#include <vector>

#include "engine/sampling/logits_math.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// Leaves the survivors of top_k, top_p and min_p, in this order, ids ascending. Gives what the
/// functions of truncation.hpp give, in a fraction of the time: the row is not sorted.
///   max   greatest logit of the row, which is a distribution
void keep_common(const SamplingOptions& options, std::span<const float> logits, float max,
                 std::vector<Candidate>& survivors);

}  // namespace vernal
