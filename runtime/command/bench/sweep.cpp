#include "command/bench/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "command/bench/instruction_counter.hpp"
#include "command/step_bytes.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using BenchClock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// The state of a sequence at the depth of the measurement, to come back to: cut there, or restored
/// from a checkpoint if the model cannot be cut anywhere.
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

/// Drives sequences without an engine: prefill to a depth, then timed prefill and decode.
class Sweep {
 public:
  Sweep(LoadedModel& model, const BenchOptions& options, const OperationTimer& timer)
      : model_(model), options_(options), timer_(timer) {
    try {
      for (std::uint64_t i = 0; i < options.most_sequences(); ++i) {
        const std::optional<SequenceId> created = model_.steps->create_sequence();
        if (!created) {
          throw Error(VERNAL_RESOURCE_EXHAUSTED,
                      fmt::format("the pool has no room for {} sequences", i + 1));
        }
        sequences_.push_back(*created);
      }
    } catch (...) {
      release();
      throw;
    }
    tokens_.resize(std::max<std::uint64_t>(model.max_tokens_per_step, sequences_.size()));
  }
  ~Sweep() { release(); }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// The speeds at `depth`, which is not less than that of the call before.
  BenchRow measure(std::uint64_t depth) {
    behind_ = options_.most_tokens_behind(depth);
    BenchRow row;
    row.depth = depth;
    for (const SequenceId sequence : sequences_) approach(sequence, depth, row);
    depth_ = depth;
    std::vector<std::unique_ptr<Mark>> marks;
    for (const SequenceId sequence : sequences_) {
      marks.push_back(std::make_unique<Mark>(*model_.steps, sequence, depth));
    }
    for (const std::uint64_t tokens : options_.prefill_tokens) {
      const bool is_measured = depth <= options_.most_prefill_depth;
      row.prefill_tokens_per_second.push_back(is_measured ? speed(tokens, tokens, 1, marks) : 0);
    }
    for (const std::uint64_t columns : options_.columns) {
      const double before = instructions_.value();
      row.decode_tokens_per_second.push_back(
          speed(options_.decode_steps * columns, columns, columns, marks));
      if (columns == 1) row.instructions_per_byte = per_step(instructions_.value() - before);
    }
    for (const std::uint64_t count : options_.sequences) {
      row.together_tokens_per_second.push_back(speed_together(count, marks));
    }
    if (options_.times_operations) time_operations(marks, row);
    return row;
  }

 private:
  using Marks = std::vector<std::unique_ptr<Mark>>;

  /// `count` of all steps of a decode measurement, for one of them.
  double per_step(double count) const {
    return std::max(0.0, count) / static_cast<double>(options_.decode_steps * options_.repetitions);
  }

  void release() noexcept {
    for (const SequenceId sequence : sequences_) model_.steps->release_sequence(sequence);
  }

  template <class F>
  static double timed(F&& f) {
    const auto begin = BenchClock::now();
    f();
    return std::chrono::duration<double>(BenchClock::now() - begin).count();
  }

  /// Brings a sequence to a depth. The first one's speed on the way is reported.
  void approach(SequenceId sequence, std::uint64_t depth, BenchRow& row) {
    if (!model_.steps->reserve(sequence, depth - depth_ + behind_)) {
      throw Error(
          VERNAL_RESOURCE_EXHAUSTED,
          fmt::format("the KV pool has no room for {} tokens of {} sequences; raise kv_tokens",
                      depth + behind_, sequences_.size()));
    }
    if (depth == depth_) return;
    const double seconds = timed([&] { feed(sequence, depth_, depth - depth_, 1); });
    if (sequence == sequences_.front()) {
      row.approach_tokens_per_second = static_cast<double>(depth - depth_) / seconds;
    }
  }

  /// Tokens per second of the first sequence, `tokens_per_step` in a step.
  double speed(std::uint64_t num_tokens, std::uint64_t tokens_per_step, std::uint64_t num_rows,
               const Marks& marks) {
    return repeated(num_tokens, marks, 1, [&] {
      for (std::uint64_t i = 0; i < num_tokens; i += tokens_per_step) {
        feed(sequences_.front(), depth_ + i, std::min(tokens_per_step, num_tokens - i), num_rows);
      }
    });
  }

  /// Tokens per second of `count` sequences together, a token of each in a step.
  double speed_together(std::uint64_t count, const Marks& marks) {
    return repeated(options_.decode_steps * count, marks, count, [&] {
      for (std::uint64_t i = 0; i < options_.decode_steps; ++i) feed_together(count, depth_ + i);
    });
  }

  /// Tokens per second of `run`, the median; the first `num_used` sequences are rewound after each.
  template <class F>
  double repeated(std::uint64_t num_tokens, const Marks& marks, std::uint64_t num_used, F&& run) {
    std::vector<double> seconds;
    for (std::uint32_t r = 0; r < options_.repetitions; ++r) {
      seconds.push_back(timed(run));
      for (std::uint64_t s = 0; s < num_used; ++s) marks[s]->rewind(behind_);
    }
    return static_cast<double>(num_tokens) / median(std::move(seconds));
  }

  void time_operations(const Marks& marks, BenchRow& row) {
    if (!row.prefill_tokens_per_second.empty() && row.prefill_tokens_per_second.front() > 0) {
      row.prefill_operations = timed_operations(
          [&] { feed(sequences_.front(), depth_, options_.prefill_tokens.front(), 1); }, 1);
      marks.front()->rewind(behind_);
    }
    const std::uint64_t steps = options_.decode_steps;
    row.decode_operations = timed_operations(
        [&] {
          for (std::uint64_t i = 0; i < steps; ++i) feed(sequences_.front(), depth_ + i, 1, 1);
        },
        steps);
    marks.front()->rewind(behind_);
  }

  /// What `run` spends in each kind of operations, divided by `count`; the slowest first.
  template <class F>
  std::vector<BenchOperation> timed_operations(F&& run, std::uint64_t count) {
    timer_.set_on(true);
    run();
    std::vector<BenchOperation> out;
    for (const plugin::OperationTime& time : timer_.times()) {
      if (time.calls == 0) continue;
      out.push_back(
          {time.operation, static_cast<double>(time.busy_ns) / 1e6 / static_cast<double>(count)});
    }
    timer_.set_on(false);
    std::ranges::sort(out, std::ranges::greater(), &BenchOperation::milliseconds);
    return out;
  }

  /// Which tokens does not matter for speed; they differ, so that the embedding is read where a real
  /// prompt would read it.
  TokenId token_at(std::uint64_t position) const {
    return static_cast<TokenId>(position * 7919 %
                                std::min<std::uint64_t>(model_.vocabulary_size, 30'000));
  }

  void run_step(std::span<const StepChunk> chunks) {
    model_.steps->begin_step(chunks);
    while (!model_.steps->wait_step(std::chrono::seconds(60))) {
    }
    model_.steps->end_step();
  }

  /// Appends `count` tokens from `position` on. The logits of the last `num_rows` are wanted.
  void feed(SequenceId sequence, std::uint64_t position, std::uint64_t count,
            std::uint64_t num_rows) {
    const std::uint64_t end = position + count;
    while (position < end) {
      const std::uint64_t size =
          std::min<std::uint64_t>(end - position, model_.max_tokens_per_step);
      for (std::uint64_t i = 0; i < size; ++i) tokens_[i] = token_at(position + i);
      const std::uint64_t rows = position + size == end ? std::min(num_rows, size) : 0;
      const StepChunk chunk{sequence, position, std::span(tokens_).first(size),
                            static_cast<std::uint32_t>(rows)};
      run_step({&chunk, 1});
      position += size;
    }
  }

  /// Appends a token to each of the first `count` sequences.
  void feed_together(std::uint64_t count, std::uint64_t position) {
    chunks_.clear();
    for (std::uint64_t s = 0; s < count; ++s) {
      tokens_[s] = token_at(position + 31 * s);
      chunks_.push_back({sequences_[s], position, std::span(tokens_).subspan(s, 1), 1});
    }
    run_step(chunks_);
  }

  LoadedModel& model_;
  const BenchOptions& options_;
  const OperationTimer& timer_;
  InstructionCounter instructions_;  // made when the threads of the backend are there
  std::vector<SequenceId> sequences_;
  std::uint64_t depth_ = 0;
  std::uint64_t behind_ = 0;  // tokens that a measurement at this depth may append
  std::vector<TokenId> tokens_;
  std::vector<StepChunk> chunks_;
};

}  // namespace

std::uint64_t BenchOptions::most_sequences() const {
  std::uint64_t most = 1;
  for (const std::uint64_t count : sequences) most = std::max(most, count);
  return most;
}

std::uint64_t BenchOptions::most_tokens_behind(std::uint64_t depth) const {
  std::uint64_t most = decode_steps * std::ranges::max(columns);
  if (depth > most_prefill_depth) return most;
  for (const std::uint64_t tokens : prefill_tokens) most = std::max(most, tokens);
  return most;
}

std::uint64_t BenchOptions::most_rows() const {
  return std::max(most_sequences(), std::ranges::max(columns));
}

std::vector<BenchRow> run_bench(LoadedModel& model, const BenchBytes& bytes,
                                const BenchOptions& options, const OperationTimer& timer,
                                const std::function<void(const BenchRow&)>& on_row) {
  const std::set<std::uint64_t> depths(options.depths.begin(), options.depths.end());
  std::vector<BenchRow> rows;
  Sweep sweep(model, options, timer);
  for (const std::uint64_t depth : depths) {
    if (depth + options.most_tokens_behind(depth) > model.context_length) continue;
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
    row.instructions_per_byte /= static_cast<double>(row.bytes_per_step);
    on_row(row);
    rows.push_back(std::move(row));
  }
  if (rows.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("the context length of {} has no room for {} tokens behind depth {}",
                            model.context_length, options.most_tokens_behind(*depths.begin()),
                            *depths.begin()));
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
  for (const std::uint64_t count : options.sequences) {
    out += fmt::format("  {:>12}", fmt::format("{} sequences", count));
  }
  return out + fmt::format("  {:>12}  {:>9}   tokens/s\n", "MiB per step", "bandwidth");
}

namespace {

std::string operations_text(std::string_view title, const std::vector<BenchOperation>& operations) {
  double sum = 0;
  for (const BenchOperation& operation : operations) sum += operation.milliseconds;
  std::string out;
  for (const BenchOperation& operation : operations) {
    out += fmt::format("{:>16}  {:<24}  {:>10.3f} ms  {:>5.1f}%\n", title, operation.name,
                       operation.milliseconds, operation.milliseconds * 100 / sum);
  }
  return out;
}

}  // namespace

std::string bench_line(const BenchRow& row) {
  std::string out = fmt::format("{:>8}", row.depth);
  for (const double speed : row.prefill_tokens_per_second) {
    out += speed == 0 ? fmt::format("  {:>14}", "-") : fmt::format("  {:>14.1f}", speed);
  }
  for (const double speed : row.decode_tokens_per_second) out += fmt::format("  {:>12.2f}", speed);
  for (const double speed : row.together_tokens_per_second) {
    out += fmt::format("  {:>12.2f}", speed);
  }
  out += fmt::format("  {:>12.1f}  {:>8.0f}%\n", static_cast<double>(row.bytes_per_step) / 0x1p20,
                     row.bandwidth_share.front() * 100);
  if (row.instructions_per_byte > 0) {
    out += fmt::format("{:>16}  {:.2f} instructions a byte\n", "decode step",
                       row.instructions_per_byte);
  }
  return out + operations_text("prefill", row.prefill_operations) +
         operations_text("decode step", row.decode_operations);
}

}  // namespace vernal
