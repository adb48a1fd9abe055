// The steps of the sampling chain that leave tokens out, and the temperature. Each takes the
// candidates that the step before has left, in any order, and changes them in place. At least one
// and at least `min_keep` of them stay. Probabilities are those of the softmax over the candidates.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/sampling/logits_math.hpp"

namespace vernal {

/// Finite logits, at least one.
using Candidates = std::vector<Candidate>;

/// The k most likely. Source: Fan, Lewis, Dauphin 2018, "Hierarchical neural story generation".
void keep_top_k(Candidates& candidates, std::size_t k);

/// The most likely ones that together reach probability p.
/// Source: Holtzman et al. 2020, "The curious case of neural text degeneration".
void keep_top_p(Candidates& candidates, double p, std::size_t min_keep);

/// Those at least p times as likely as the most likely one.
/// Source: Nguyen et al. 2024, "Turning up the heat: min-p sampling".
void keep_min_p(Candidates& candidates, double p, std::size_t min_keep);

/// Those whose surprise -ln P is nearest to the entropy and that together reach probability p.
/// Source: Meister et al. 2022, "Locally typical sampling".
void keep_typical_p(Candidates& candidates, double p, std::size_t min_keep);

/// Those whose logit is at least max - n * (standard deviation of the logits).
/// Source: Tang et al. 2024, "Top-n-sigma: not all logits are you need".
void keep_top_n_sigma(Candidates& candidates, double n, std::size_t min_keep);

/// "Exclude top choices": takes away all that are at least `threshold` likely, but for the least
/// likely of these. The caller draws whether that is done.
/// Source: p-e-w 2024, text-generation-webui, pull request 6335.
void drop_top_choices(Candidates& candidates, double threshold, std::size_t min_keep);

/// The temperature that the entropy H of n candidates asks for:
///   low + (high - low) * (H / ln n)^exponent,  low = max(0, temperature - range),
///                                              high = temperature + range
/// Source: kalomaze 2023, "dynamic temperature sampling", as the servers of today have it.
double dynamic_temperature(const Candidates& candidates, double temperature, double range,
                           double exponent);

/// Divides the logits. Below SamplingOptions::kLeastTemperature: only the most likely one stays, with
/// the lowest id of equal ones.
void apply_temperature(Candidates& candidates, double temperature);

/// Mass of a candidate, e^(logit - max), and of all of them.
double mass_of(const Candidate& candidate, float max) noexcept;
double total_mass(const Candidates& candidates, float max) noexcept;
float greatest_logit(const Candidates& candidates) noexcept;

}  // namespace vernal
