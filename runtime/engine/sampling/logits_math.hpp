// Passes over one row of logits. Rows are long (150,000 values and more) and read once or more for
// each token, so these are loops that a compiler vectorises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// A token with its logit.
struct Candidate {
  TokenId id = kNoToken;
  float logit = 0.0F;

  /// Higher logits come first, and the lowest id of equal ones.
  friend bool operator<(const Candidate& a, const Candidate& b) noexcept {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  }
};

struct LogitsRange {
  float max = 0.0F;
  bool has_nan = false;

  /// Whether the row stands for a distribution: a finite maximum and no NaN. -infinity elsewhere
  /// means "never".
  bool is_distribution() const noexcept;
};

/// Greatest value and whether there is a NaN. An empty row gives -infinity.
LogitsRange find_range(std::span<const float> logits) noexcept;

/// Lowest index at which the row has `value`, which is one of its values.
TokenId first_index_of(std::span<const float> logits, float value) noexcept;

/// exp(x) for x <= 0 with a relative error below 3e-7; 0 below -87. The same on every compiler and
/// machine with IEEE arithmetic.
float exp_nonpositive(float x) noexcept;

/// sum over i of exp((logits[i] - max) * scale), for scale > 0. Summed in a fixed order: the result
/// depends on the row alone.
double sum_exp(std::span<const float> logits, float max, float scale) noexcept;

/// The `count` first candidates of the row in the order of Candidate, sorted. Rows of -infinity are
/// included when nothing else is left. Reuses the storage of `out`.
void select_top(std::span<const float> logits, std::size_t count, std::vector<Candidate>& out);

}  // namespace vernal
