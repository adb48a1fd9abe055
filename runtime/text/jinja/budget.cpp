#include "text/jinja/budget.hpp"

#include <algorithm>

#include "text/jinja/error.hpp"

namespace vernal::jinja {

Budget::Budget(const RenderLimits& limits)
    : limits_(limits),
      deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.timeout_ms)) {}

void Budget::check() {
  if (steps_ > limits_.max_steps) {
    fail_limit("the template needs more than {} steps", limits_.max_steps);
  }
  if (limits_.timeout_ms != 0 && std::chrono::steady_clock::now() > deadline_) {
    fail_limit("the template needs more than {} ms", limits_.timeout_ms);
  }
  const std::uint64_t last_allowed = limits_.max_steps + 1;
  next_check_ =
      limits_.timeout_ms == 0 ? last_allowed : std::min(last_allowed, steps_ + kStepsPerTimeCheck);
}

void Budget::charge(std::uint64_t bytes) {
  const std::uint64_t used = heap_bytes_ - std::min(exempt_bytes_, heap_bytes_);
  if (is_heap_limited_ &&
      (bytes > limits_.max_heap_bytes || used > limits_.max_heap_bytes - bytes)) {
    fail_limit("the template needs more than {} bytes of memory", limits_.max_heap_bytes);
  }
  heap_bytes_ += bytes;
}

}  // namespace vernal::jinja
