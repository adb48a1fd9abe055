#include "command/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "vernal/error.hpp"

namespace vernal {
namespace {

using BenchClock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Drives one sequence without an engine: prefill to a depth, then timed prefill and decode.
class Sweep {
 public:
  Sweep(LoadedModel& model, const BenchOptions& options) : model_(model), options_(options) {}

  /// Seconds per token of a prefill and of decode steps, both beginning at `depth`.
  std::pair<double, double> measure(std::uint64_t depth) {
    StepModel& steps = *model_.steps;
    const std::uint64_t longest = depth + std::max(options_.prefill_tokens, options_.decode_tokens);
    const std::optional<SequenceId> created = steps.create_sequence();
    const SequenceId sequence = created.value_or(0);
    if (!created || !steps.reserve(sequence, longest)) {
      throw Error(VERNAL_RESOURCE_EXHAUSTED,
                  fmt::format("the KV pool has no room for {} tokens; raise kv_tokens", longest));
    }
    feed(sequence, 0, depth);
    const Mark mark(steps, sequence, depth);
    std::vector<double> prefill;
    std::vector<double> decode;
    for (std::uint32_t r = 0; r < options_.repetitions; ++r) {
      prefill.push_back(timed([&] { feed(sequence, depth, options_.prefill_tokens); }) /
                        static_cast<double>(options_.prefill_tokens));
      mark.rewind(longest - depth);
      decode.push_back(timed([&] {
                         for (std::uint64_t i = 0; i < options_.decode_tokens; ++i) {
                           feed(sequence, depth + i, 1);
                         }
                       }) /
                       static_cast<double>(options_.decode_tokens));
      mark.rewind(longest - depth);
    }
    steps.release_sequence(sequence);
    return {median(prefill), median(decode)};
  }

 private:
  template <class F>
  static double timed(F&& f) {
    const auto begin = BenchClock::now();
    f();
    return std::chrono::duration<double>(BenchClock::now() - begin).count();
  }

  /// The state of a sequence at the depth of the measurement, to come back to: cut there, or
  /// restored from a checkpoint if the model cannot be cut anywhere.
  class Mark {
   public:
    Mark(StepModel& steps, SequenceId sequence, std::uint64_t depth)
        : steps_(steps), sequence_(sequence), depth_(depth) {
      if (steps.info().truncates_anywhere) return;
      checkpoint_ = steps.create_checkpoint(sequence);
      if (checkpoint_) return;
      throw Error(VERNAL_RESOURCE_EXHAUSTED,
                  "the plan has no room for a checkpoint to come back to for repeated "
                  "measurements; raise max_checkpoints");
    }
    ~Mark() {
      if (checkpoint_) steps_.release_checkpoint(*checkpoint_);
    }
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;

    /// Leaves room for `num_more` tokens behind it.
    void rewind(std::uint64_t num_more) const {
      if (checkpoint_) steps_.restore(sequence_, *checkpoint_);
      if (steps_.truncate(sequence_, depth_) && steps_.reserve(sequence_, num_more)) return;
      throw Error(
          VERNAL_RESOURCE_EXHAUSTED,
          fmt::format("the KV pool has no room for {} tokens more; raise kv_tokens", num_more));
    }

   private:
    StepModel& steps_;
    SequenceId sequence_;
    std::uint64_t depth_;
    std::optional<CheckpointId> checkpoint_;
  };

  /// Appends `count` tokens from `position` on. Which tokens does not matter for speed; they
  /// differ, so that the embedding is read where a real prompt would read it.
  void feed(SequenceId sequence, std::uint64_t position, std::uint64_t count) {
    const std::uint64_t end = position + count;
    while (position < end) {
      const std::uint64_t size =
          std::min<std::uint64_t>(end - position, model_.max_tokens_per_step);
      tokens_.resize(size);
      for (std::uint64_t i = 0; i < size; ++i) {
        tokens_[i] = static_cast<TokenId>((position + i) * 7919 %
                                          std::min<std::uint64_t>(model_.vocabulary_size, 30'000));
      }
      const StepChunk chunk{sequence, position, tokens_, position + size == end ? 1U : 0U};
      model_.steps->begin_step({&chunk, 1});
      while (!model_.steps->wait_step(std::chrono::seconds(60))) {
      }
      model_.steps->end_step();
      position += size;
    }
  }

  LoadedModel& model_;
  const BenchOptions& options_;
  std::vector<TokenId> tokens_;
};

}  // namespace

std::vector<BenchRow> run_bench(LoadedModel& model, const vernal_plan_info& plan,
                                const BenchOptions& options, double read_bandwidth,
                                const std::function<void(const BenchRow&)>& on_row) {
  std::vector<BenchRow> rows;
  Sweep sweep(model, options);
  for (const std::uint64_t depth : options.depths) {
    const std::uint64_t needed = depth + std::max(options.prefill_tokens, options.decode_tokens);
    if (needed > model.context_length) continue;
    const auto [prefill, decode] = sweep.measure(depth);
    BenchRow row;
    row.depth = depth;
    row.prefill_tokens_per_second = 1 / prefill;
    row.decode_tokens_per_second = 1 / decode;
    const std::uint64_t mean_length = depth + options.decode_tokens / 2;
    row.bytes_per_token = plan.weight_bytes_per_step + mean_length * plan.bytes_per_kv_token;
    row.bandwidth_share = static_cast<double>(row.bytes_per_token) / decode / read_bandwidth;
    on_row(row);
    rows.push_back(row);
  }
  if (rows.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("the context length of {} has no room for a prefill of {} tokens",
                            model.context_length, options.prefill_tokens));
  }
  return rows;
}

std::string bench_header() {
  return fmt::format("{:>8}  {:>14}  {:>13}  {:>14}  {:>10}\n", "depth", "prefill tok/s",
                     "decode tok/s", "MiB per token", "bandwidth");
}

std::string bench_line(const BenchRow& row) {
  return fmt::format("{:>8}  {:>14.1f}  {:>13.2f}  {:>14.1f}  {:>9.0f}%\n", row.depth,
                     row.prefill_tokens_per_second, row.decode_tokens_per_second,
                     static_cast<double>(row.bytes_per_token) / 0x1p20, row.bandwidth_share * 100);
}

}  // namespace vernal
