// How much of a prompt is computed beside the answers of others.
#pragma once

#include <chrono>
#include <cstddef>

namespace vernal {

/// Learns what a token of a prompt costs, and bounds how many of them a step takes beside decodes, so
/// that it takes about the time that the operator allows. Where the decodes alone take more than half
/// of that time, prompts get as much time as the decodes. Engine thread.
class PrefillPace {
 public:
  /// The bound is never lower, and else a multiple of it: matrix kernels need several rows to be fast.
  static constexpr std::size_t kLeastTokens = 16;

  /// Zero: no bound.
  explicit PrefillPace(std::chrono::duration<double> max_step_time) noexcept
      : max_seconds_(max_step_time.count()) {}

  bool is_on() const noexcept { return max_seconds_ > 0.0; }

  /// The most tokens of prompts for a step whose decodes take `decode_seconds`. Only if is_on().
  std::size_t most_tokens(double decode_seconds) const noexcept;

  /// A step with so many tokens of prompts took `seconds`; without them it would have taken
  /// `decode_seconds`. Too few tokens say little and are not learned from.
  void observe(std::size_t num_tokens, double seconds, double decode_seconds) noexcept;

 private:
  double max_seconds_;
  double seconds_per_token_ = 0.0;  // 0: none was seen
};

}  // namespace vernal
