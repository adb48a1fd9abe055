#include "program.hpp"

#include <algorithm>
#include <chrono>

#include "operations.hpp"
#include "pool.hpp"

namespace reference {
namespace {

std::uint64_t kv_row_bytes(const std::string& format, std::int64_t dim) {
  if (format == "f32") return static_cast<std::uint64_t>(dim) * 4;
  if (format == "f16") return static_cast<std::uint64_t>(dim) * 2;
  return static_cast<std::uint64_t>(dim) / 32 * (format == "q8_0" ? 34 : 18);
}

/// The most positions that a state holds. With a window: what every sequence needs in a step, and
/// what every checkpoint holds.
std::uint64_t kv_positions(const vernal::State& s, const vernal::PlanOptions& options) {
  if (s.window == 0) return options.kv_tokens;
  const auto window = static_cast<std::uint64_t>(s.window);
  const std::uint64_t of_sequence = window + options.rollback_depth + options.max_tokens_per_step;
  return std::min(options.kv_tokens,
                  options.max_sequences * of_sequence + options.max_checkpoints * window);
}

}  // namespace

void StoredWeight::read_row(std::int64_t index, std::vector<float>& out) const {
  const auto width = static_cast<std::uint64_t>(columns);
  const std::uint64_t row_bytes = format->row_bytes(width);
  out.resize(width);
  format->dequantize(bytes.data() + static_cast<std::uint64_t>(index) * row_bytes, width,
                     out.data());
}

Program::Program(std::shared_ptr<const vernal::Module> module, vernal::PlanOptions options,
                 std::vector<StoredWeight> weights)
    : module_(std::move(module)), options_(std::move(options)), weights_(std::move(weights)) {}

std::unique_ptr<vernal::BackendPool> Program::create_pool() {
  return std::make_unique<Pool>(*this);
}

std::vector<vernal::MemoryRow> Program::memory_report() const {
  return memory_rows(*module_, options_);
}

vernal_step_stats Program::stats() const {
  vernal_step_stats out{};
  out.struct_size = sizeof(out);
  out.steps = counters_.steps;
  out.tokens = counters_.tokens;
  out.busy_ns = counters_.busy_ns;
  return out;
}

vernal_plan_info Program::plan_info() const { return price(*module_, options_); }

vernal::StepOutputs Program::run(const vernal::StepBatch& batch,
                                 std::vector<SequenceState>& states) const {
  const auto begin = std::chrono::steady_clock::now();
  const vernal::Function& function = module_->functions.at(batch.function);
  std::vector<Tensor> values(function.values.size());
  vernal::StepOutputs outputs;
  StepContext context{*this, function, batch, states, values, outputs};
  for (const vernal::Node& node : function.nodes) find_operation(node.op)->run(node, context);
  const auto spent = std::chrono::steady_clock::now() - begin;
  counters_.steps += 1;
  counters_.tokens += batch.num_tokens;
  counters_.busy_ns += static_cast<std::uint64_t>(std::chrono::nanoseconds(spent).count());
  return outputs;
}

std::uint64_t kv_bytes(const vernal::State& s, const vernal::PlanOptions& options) {
  return static_cast<std::uint64_t>(s.num_heads) *
         (kv_row_bytes(options.kv_keys_format, s.key_dim) +
          kv_row_bytes(options.kv_values_format, s.value_dim));
}

vernal_plan_info price(const vernal::Module& module, const vernal::PlanOptions& options) {
  vernal_plan_info info{};
  info.struct_size = sizeof(info);
  for (const vernal::State& s : module.states) {
    if (s.kind == VERNAL_STATE_KV) {
      info.page_tokens = 1;
      info.bytes_per_kv_token += kv_bytes(s, options);
    } else {
      info.bytes_per_checkpoint += fixed_size(s) * sizeof(float);
    }
  }
  // A sequence also keeps the states at the tokens that can be taken back.
  info.bytes_per_sequence = info.bytes_per_checkpoint * (1 + options.rollback_depth);
  for (const vernal::Weight& w : module.weights) info.weight_bytes_per_step += w.bytes;
  return info;
}

std::vector<vernal::MemoryRow> memory_rows(const vernal::Module& module,
                                           const vernal::PlanOptions& options) {
  const vernal_plan_info info = price(module, options);
  std::uint64_t weights = 0;
  for (const vernal::Weight& w : module.weights) weights += w.bytes;
  std::uint64_t kv = 0;
  for (const vernal::State& s : module.states) {
    if (s.kind == VERNAL_STATE_KV) kv += kv_bytes(s, options) * kv_positions(s, options);
  }
  const std::uint64_t state = info.bytes_per_sequence * options.max_sequences;
  std::vector<vernal::MemoryRow> rows;
  rows.push_back({"weights", "cpu", VERNAL_MEMORY_MAPPED_FILE, weights, weights});
  rows.push_back({"kv cache", "cpu", VERNAL_MEMORY_KV, kv, kv});
  const std::uint64_t kept = info.bytes_per_checkpoint * options.max_checkpoints;
  if (state != 0) rows.push_back({"recurrent state", "cpu", VERNAL_MEMORY_RECURRENT, state, state});
  if (kept != 0) rows.push_back({"checkpoints", "cpu", VERNAL_MEMORY_CHECKPOINTS, kept, kept});
  return rows;
}

}  // namespace reference
