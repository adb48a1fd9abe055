// How long steps take, by the number of their tokens.
#pragma once

#include <array>
#include <cstddef>

namespace vernal {

/// Learned from the steps that decode. Engine thread.
class StepCosts {
 public:
  static constexpr std::size_t kMaxTokens = 64;

  /// A step with so many tokens, none of them of a prompt, took so long. More than kMaxTokens are not
  /// learned from.
  void observe(std::size_t num_tokens, double seconds) noexcept;

  /// Seconds a step with so many tokens may take, at least one; more than kMaxTokens count as that many.
  /// Numbers that were never seen are between or behind those that were. 0: none was seen.
  double estimate(std::size_t num_tokens) const noexcept;

 private:
  // [i] is about i tokens. 0: never seen.
  std::array<double, kMaxTokens + 1> seconds_{};
};

}  // namespace vernal
