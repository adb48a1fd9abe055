// Counters and gauges of one model.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/histogram.hpp"

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

/// Bounds of the buckets, so close that a percentile can be read off, so few that a page stays small.
inline constexpr std::array kLongTimes = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08,
                                          0.1,   0.25,  0.5,  0.75, 1.0,  2.5,  5.0,
                                          7.5,   10.0,  20.0, 40.0, 80.0, 320.0};
inline constexpr std::array kTokenTimes = {0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05,
                                           0.075, 0.1,   0.15, 0.2,   0.3,  0.5,   1.0,  2.0,  5.0};
inline constexpr std::array kTokenCounts = {1.0,     2.0,     5.0,     10.0,     20.0,    50.0,
                                            100.0,   200.0,   500.0,   1000.0,   2000.0,  5000.0,
                                            10000.0, 20000.0, 50000.0, 100000.0, 200000.0};
inline constexpr std::array kSequenceCounts = {1.0,  2.0,  3.0,  4.0,  6.0,   8.0,
                                               12.0, 16.0, 32.0, 64.0, 128.0, 256.0};

/// Whoever does the work writes them, any thread reads them at any time. Nobody waits.
struct EngineMetrics {
  std::atomic<std::uint64_t> open_requests{0};     ///< submitted and not ended
  std::atomic<std::uint64_t> running_requests{0};  ///< those with a sequence in a slot
  std::atomic<std::uint64_t> seated_choices{0};    ///< slots that are taken
  std::atomic<std::uint64_t> prompt_tokens{0};     ///< processed by steps
  std::atomic<std::uint64_t> cached_tokens{0};     ///< of prompts, not processed again
  std::atomic<std::uint64_t> generated_tokens{0};
  std::atomic<std::uint64_t> forced_tokens{0};   ///< of these: a grammar left no other
  std::atomic<std::uint64_t> guessed_tokens{0};  ///< that steps computed behind the newest token
  std::atomic<std::uint64_t> accepted_guesses{
      0};  ///< of these, those that became part of an answer
  std::atomic<std::uint64_t> steps{0};
  std::atomic<std::uint64_t> shortened_steps{0};  ///< of these: prompts gave way to decodes
  std::atomic<std::uint64_t> busy_us{0};          ///< time in steps and sampling
  std::atomic<std::uint64_t> preemptions{0};      ///< sequences put back because the pool was full
  std::atomic<std::uint64_t> checkpoints{0};      ///< states kept for later prompts
  std::atomic<std::uint64_t> streamed_products{0};
  std::atomic<std::uint64_t> kv_capacity_tokens{0};
  std::atomic<std::uint64_t> kv_used_tokens{0};
  std::atomic<std::uint64_t> prefix_queries{0};  ///< tokens of prompts that were seated
  std::array<std::atomic<std::uint64_t>, kNumOutcomes> outcomes{};

  // Times are in seconds. Of a request they run from its submission, and count once it has finished.
  Histogram first_token_times{kLongTimes};
  Histogram token_times{kTokenTimes};  ///< from one token of a choice to the next
  Histogram request_times{kLongTimes};
  Histogram queue_times{kLongTimes};
  Histogram prefill_times{kLongTimes};  ///< from the seat to the first token
  Histogram decode_times{kLongTimes};   ///< from the first token to the last
  Histogram prompt_lengths{kTokenCounts};
  Histogram answer_lengths{kTokenCounts};
  Histogram step_tokens{kTokenCounts};
  Histogram step_sequences{kSequenceCounts};
};

}  // namespace vernal
