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
  std::uint64_t prefill_tokens = 512;
  std::uint64_t decode_tokens = 32;
  std::uint32_t repetitions = 3;  // the median is reported
};

/// Speeds at one depth.
struct BenchRow {
  std::uint64_t depth = 0;
  double prefill_tokens_per_second = 0;
  double decode_tokens_per_second = 0;
  std::uint64_t bytes_per_token = 0;  // weights and KV a decode step reads
  double bandwidth_share = 0;         // bytes_per_token * decode speed / measured read bandwidth
};

/// Runs the sweep. The calling thread takes the engine's role: it opens and closes `model`'s pool.
/// `read_bandwidth` in bytes per second; `on_row` is told of each finished depth.
std::vector<BenchRow> run_bench(LoadedModel& model, const vernal_plan_info& plan,
                                const BenchOptions& options, double read_bandwidth,
                                const std::function<void(const BenchRow&)>& on_row);

std::string bench_header();
std::string bench_line(const BenchRow& row);

}  // namespace vernal
