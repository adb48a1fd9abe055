// How long steps take, by the number of their tokens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vernal {

/// Learned from the steps that decode. A number of tokens that was not seen for a while, or never, is
/// believed to cost hardly more than one token less, if that was: so a number that was slow by chance,
/// or long ago, is tried again, and one that lies below a slow one is tried at all. The smallest come
/// first. Engine thread.
class StepCosts {
 public:
  static constexpr std::size_t kMaxTokens = 64;

  /// A step with so many tokens, none of them of a prompt, took so long. More than kMaxTokens are not
  /// learned from.
  void observe(std::size_t num_tokens, double seconds) noexcept;

  /// Seconds a step with so many tokens may take, at least one; more than kMaxTokens count as that many.
  /// Numbers that were never seen are at most between or behind those that were. 0: none was seen.
  double estimate(std::size_t num_tokens) const noexcept;

 private:
  struct Cost {
    double seconds = 0.0;
    std::uint32_t num_seen = 0;   // counted up to where it makes no difference
    std::uint64_t last_seen = 0;  // in observed steps
  };

  bool is_of_late(const Cost& cost) const noexcept;
  double of_neighbours(std::size_t num_tokens) const noexcept;

  // [i] is about i tokens.
  std::array<Cost, kMaxTokens + 1> costs_{};
  std::uint64_t num_steps_ = 0;
};

}  // namespace vernal
