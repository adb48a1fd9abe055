// Counters and gauges of one model.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vernal {

/// How a request ended, for counting.
enum class RequestOutcome : std::uint8_t {
  kStop,
  kLength,
  kToolCalls,
  kCancelled,
  kClientError,  ///< the request was at fault: its HTTP status is 4xx
  kError
};
inline constexpr std::size_t kNumOutcomes = 6;

/// "stop", "length", "tool_calls", "cancelled", "client_error", "error".
const char* outcome_name(RequestOutcome outcome) noexcept;

/// Whoever does the work writes them, any thread reads them at any time. Nobody waits.
struct EngineMetrics {
  std::atomic<std::uint64_t> open_requests{0};     ///< submitted and not ended
  std::atomic<std::uint64_t> running_requests{0};  ///< those with a sequence in a slot
  std::atomic<std::uint64_t> seated_choices{0};    ///< slots that are taken
  std::atomic<std::uint64_t> prompt_tokens{0};     ///< processed by steps
  std::atomic<std::uint64_t> cached_tokens{0};     ///< of prompts, not processed again
  std::atomic<std::uint64_t> generated_tokens{0};
  std::atomic<std::uint64_t> steps{0};
  std::atomic<std::uint64_t> busy_us{0};      ///< time in steps and sampling
  std::atomic<std::uint64_t> preemptions{0};  ///< sequences put back because the pool was full
  std::atomic<std::uint64_t> checkpoints{0};  ///< states kept for later prompts
  std::atomic<std::uint64_t> kv_capacity_tokens{0};
  std::atomic<std::uint64_t> kv_used_tokens{0};
  std::array<std::atomic<std::uint64_t>, kNumOutcomes> outcomes{};
};

}  // namespace vernal
