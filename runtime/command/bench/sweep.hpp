// `vernal bench`: prefill and decode speed of a model over a sweep of depths.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/loaded_model.hpp"
#include "plugin/backend_client.hpp"
#include "vernal/abi/backend.h"

namespace vernal {

struct BenchOptions {
  // Tokens already in each sequence. Those beyond the context length are left out.
  std::vector<std::uint64_t> depths{0, 512, 4096, 8192, 16384};
  std::vector<std::uint64_t> prefill_tokens{512};        // each is measured; empty: none
  std::uint64_t most_prefill_depth = ~std::uint64_t{0};  // beyond it only decode is measured
  // Tokens of one sequence that a decode step computes together; more than one, as when drafted
  // tokens are verified.
  std::vector<std::uint64_t> columns{1};
  // Sequences that decode together, a token each in a step; empty: none. Every one has the depth.
  std::vector<std::uint64_t> sequences;
  std::uint64_t decode_steps = 32;
  std::uint32_t repetitions = 3;  // the median is reported
  bool times_operations =
      false;  // one more prefill and decode at each depth, with their parts timed

  /// The most sequences that the sweep holds.
  std::uint64_t most_sequences() const;
  /// The most tokens that a measurement appends to a sequence behind a depth.
  std::uint64_t most_tokens_behind(std::uint64_t depth) const;
  /// The most rows of logits that a step gives.
  std::uint64_t most_rows() const;
};

/// How long a step takes in the operations of one kind.
struct BenchOperation {
  std::string name;  ///< "vernal.linear/1"
  double milliseconds = 0;
};

/// Speeds at one depth, in the order of the options.
struct BenchRow {
  std::uint64_t depth = 0;
  /// Of the way from the depth before, and of the prefills; 0: not measured.
  double approach_tokens_per_second = 0;
  std::vector<double> prefill_tokens_per_second;
  std::vector<double> decode_tokens_per_second;    // by columns
  std::vector<double> together_tokens_per_second;  // by sequences, of all of them
  std::uint64_t bytes_per_step = 0;  // weights, KV and state that a decode step of one token moves
  std::vector<double> bandwidth_share;  // by columns: bytes a step * steps per second / bandwidth
  // That the process runs in a decode step of one token, for each of its bytes; 0: not counted.
  double instructions_per_byte = 0;
  // Slowest first; empty: not timed. Of a prefill of the first size, and of a decode step.
  std::vector<BenchOperation> prefill_operations;
  std::vector<BenchOperation> decode_operations;
};

/// Times the operations of a model's steps. Empty functions: it cannot.
struct OperationTimer {
  std::function<void(bool is_on)> set_on;  ///< begins with all times at zero
  std::function<std::vector<plugin::OperationTime>()> times;
};

/// What a sweep is measured against.
struct BenchBytes {
  vernal_plan_info plan{};
  double read_bandwidth = 0;  // bytes per second
};

/// Runs the sweep, from the least depth to the greatest. The calling thread takes the engine's role:
/// it opens and closes `model`'s pool. `on_row` is told of each finished depth.
/// Errors  RESOURCE_EXHAUSTED: the pool has no room;  INVALID_ARGUMENT: no depth fits the context
std::vector<BenchRow> run_bench(LoadedModel& model, const BenchBytes& bytes,
                                const BenchOptions& options, const OperationTimer& timer,
                                const std::function<void(const BenchRow&)>& on_row);

std::string bench_header(const BenchOptions& options);
/// A line of speeds, and one for each kind of operations if they were timed.
std::string bench_line(const BenchRow& row);

}  // namespace vernal
