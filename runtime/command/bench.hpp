// `vernal bench`: prefill and decode speed of a model over a sweep of depths.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/loaded_model.hpp"
#include "vernal/abi/backend.h"

namespace vernal {

struct BenchOptions {
  // Tokens already in the sequence. Those beyond the context length are left out.
  std::vector<std::uint64_t> depths{0, 512, 4096, 8192, 16384};
  std::vector<std::uint64_t> prefill_tokens{512};        // each is measured; empty: none
  std::uint64_t most_prefill_depth = ~std::uint64_t{0};  // beyond it only decode is measured
  // Tokens of the sequence that a decode step computes together; more than one, as when drafted
  // tokens are verified.
  std::vector<std::uint64_t> columns{1};
  std::uint64_t decode_steps = 32;
  std::uint32_t repetitions = 3;  // the median is reported
};

/// Speeds at one depth, in the order of the options.
struct BenchRow {
  std::uint64_t depth = 0;
  /// Of the way from the depth before, and of the prefills; 0: not measured.
  double approach_tokens_per_second = 0;
  std::vector<double> prefill_tokens_per_second;
  std::vector<double> decode_tokens_per_second;
  std::uint64_t bytes_per_step = 0;     // weights, KV and state that a decode step moves
  std::vector<double> bandwidth_share;  // bytes_per_step * steps per second / read bandwidth
};

/// What a sweep is measured against.
struct BenchBytes {
  vernal_plan_info plan{};
  double read_bandwidth = 0;  // bytes per second
};

/// Runs the sweep, from the least depth to the greatest. The calling thread takes the engine's role:
/// it opens and closes `model`'s pool. `on_row` is told of each finished depth.
std::vector<BenchRow> run_bench(LoadedModel& model, const BenchBytes& bytes,
                                const BenchOptions& options,
                                const std::function<void(const BenchRow&)>& on_row);

std::string bench_header(const BenchOptions& options);
std::string bench_line(const BenchRow& row);

}  // namespace vernal
