#include "command/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

#include "command/step_bytes.hpp"
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
  Sweep(LoadedModel& model, const BenchOptions& options) : model_(model), options_(options) {
    const std::optional<SequenceId> created = model_.steps->create_sequence();
    if (!created) throw Error(VERNAL_RESOURCE_EXHAUSTED, "the pool has no room for a sequence");
    sequence_ = *created;
  }
  ~Sweep() { model_.steps->release_sequence(sequence_); }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// The most tokens that a measurement appends behind a depth.
  static std::uint64_t most_tokens_behind(const BenchOptions& options, std::uint64_t depth) {
    std::uint64_t most = options.decode_steps * std::ranges::max(options.columns);
    if (depth > options.most_prefill_depth) return most;
    for (const std::uint64_t tokens : options.prefill_tokens) most = std::max(most, tokens);
    return most;
  }

  /// The speeds at `depth`, which is not less than that of the call before.
  BenchRow measure(std::uint64_t depth) {
    StepModel& steps = *model_.steps;
    const std::uint64_t behind = most_tokens_behind(options_, depth);
    if (!steps.reserve(sequence_, depth - depth_ + behind)) {
      throw Error(
          VERNAL_RESOURCE_EXHAUSTED,
          fmt::format("the KV pool has no room for {} tokens; raise kv_tokens", depth + behind));
    }
    BenchRow row;
    row.depth = depth;
    if (depth != depth_) {
      const double seconds = timed([&] { feed(depth_, depth - depth_); });
      row.approach_tokens_per_second = static_cast<double>(depth - depth_) / seconds;
    }
    depth_ = depth;
    const Mark mark(steps, sequence_, depth);
    const auto speed = [&](std::uint64_t num_tokens, std::uint64_t tokens_per_step,
                           std::uint64_t num_rows) {
      std::vector<double> seconds;
      for (std::uint32_t r = 0; r < options_.repetitions; ++r) {
        seconds.push_back(timed([&] {
          for (std::uint64_t i = 0; i < num_tokens; i += tokens_per_step) {
            feed(depth + i, std::min(tokens_per_step, num_tokens - i), num_rows);
          }
        }));
        mark.rewind(behind);
      }
      return static_cast<double>(num_tokens) / median(seconds);
    };
    for (const std::uint64_t tokens : options_.prefill_tokens) {
      const bool is_measured = depth <= options_.most_prefill_depth;
      row.prefill_tokens_per_second.push_back(is_measured ? speed(tokens, tokens, 1) : 0);
    }
    for (const std::uint64_t columns : options_.columns) {
      row.decode_tokens_per_second.push_back(
          speed(options_.decode_steps * columns, columns, columns));
    }
    return row;
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
  /// differ, so that the embedding is read where a real prompt would read it. The logits of the last
  /// one are wanted, or of the last `num_rows`.
  void feed(std::uint64_t position, std::uint64_t count, std::uint64_t num_rows = 1) {
    const std::uint64_t end = position + count;
    while (position < end) {
      const std::uint64_t size =
          std::min<std::uint64_t>(end - position, model_.max_tokens_per_step);
      tokens_.resize(size);
      for (std::uint64_t i = 0; i < size; ++i) {
        tokens_[i] = static_cast<TokenId>((position + i) * 7919 %
                                          std::min<std::uint64_t>(model_.vocabulary_size, 30'000));
      }
      const std::uint64_t rows = position + size == end ? std::min(num_rows, size) : 0;
      const StepChunk chunk{sequence_, position, tokens_, static_cast<std::uint32_t>(rows)};
      model_.steps->begin_step({&chunk, 1});
      while (!model_.steps->wait_step(std::chrono::seconds(60))) {
      }
      model_.steps->end_step();
      position += size;
    }
  }

  LoadedModel& model_;
  const BenchOptions& options_;
  SequenceId sequence_ = 0;
  std::uint64_t depth_ = 0;
  std::vector<TokenId> tokens_;
};

}  // namespace

std::vector<BenchRow> run_bench(LoadedModel& model, const BenchBytes& bytes,
                                const BenchOptions& options,
                                const std::function<void(const BenchRow&)>& on_row) {
  const std::set<std::uint64_t> depths(options.depths.begin(), options.depths.end());
  std::vector<BenchRow> rows;
  Sweep sweep(model, options);
  for (const std::uint64_t depth : depths) {
    if (depth + Sweep::most_tokens_behind(options, depth) > model.context_length) continue;
    BenchRow row = sweep.measure(depth);
    for (std::size_t i = 0; i < options.columns.size(); ++i) {
      const double steps_per_second =
          row.decode_tokens_per_second[i] / static_cast<double>(options.columns[i]);
      const std::uint64_t mean_length = depth + options.decode_steps * options.columns[i] / 2;
      const std::uint64_t moved = step_bytes(bytes.plan, mean_length);
      if (i == 0) row.bytes_per_step = moved;
      row.bandwidth_share.push_back(static_cast<double>(moved) * steps_per_second /
                                    bytes.read_bandwidth);
    }
    on_row(row);
    rows.push_back(std::move(row));
  }
  if (rows.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("the context length of {} has no room for {} tokens behind depth {}",
                            model.context_length,
                            Sweep::most_tokens_behind(options, *depths.begin()), *depths.begin()));
  }
  return rows;
}

std::string bench_header(const BenchOptions& options) {
  std::string out = fmt::format("{:>8}", "depth");
  for (const std::uint64_t tokens : options.prefill_tokens) {
    out += fmt::format("  {:>14}", fmt::format("prefill {}", tokens));
  }
  for (const std::uint64_t columns : options.columns) {
    out += fmt::format("  {:>12}", columns == 1 ? "decode" : fmt::format("decode x{}", columns));
  }
  return out + fmt::format("  {:>12}  {:>9}   tokens/s\n", "MiB per step", "bandwidth");
}

std::string bench_line(const BenchRow& row) {
  std::string out = fmt::format("{:>8}", row.depth);
  for (const double speed : row.prefill_tokens_per_second) {
    out += speed == 0 ? fmt::format("  {:>14}", "-") : fmt::format("  {:>14.1f}", speed);
  }
  for (const double speed : row.decode_tokens_per_second) out += fmt::format("  {:>12.2f}", speed);
  return out + fmt::format("  {:>12.1f}  {:>8.0f}%\n",
                           static_cast<double>(row.bytes_per_step) / 0x1p20,
                           row.bandwidth_share.front() * 100);
}

}  // namespace vernal
