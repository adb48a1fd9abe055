// The reference backend's operations, compiled into this program: what the numbers of a backend
// are compared with.
#include "plugin_check/subject/machine.hpp"
#include "pool.hpp"
#include "program.hpp"
#include "vernal/block_types.hpp"

namespace vernal::check {
namespace {

vernal_step_input to_abi(const std::string& name, const void* data, std::uint64_t bytes) {
  vernal_step_input input{};
  input.struct_size = sizeof(input);
  input.name = to_str(name);
  input.data = data;
  input.bytes = bytes;
  input.source = VERNAL_INPUT_HOST;
  return input;
}

class Oracle final : public Machine {
 public:
  Oracle(const MadeModule& made, const PlanOptions& options)
      : weights_(made.weights),
        program_(made.module, options, stored_weights(*made.module, *made.weights)),
        pool_(program_.create_pool()) {}

  vernal_sequence_id start(std::uint64_t num_tokens) override {
    const vernal_sequence_id sequence = pool_->seq_create();
    pool_->seq_reserve(sequence, num_tokens);
    return sequence;
  }

  std::vector<float> step(const std::vector<Part>& parts, const StepData& data,
                          const std::string& name) override {
    StepBatch batch;
    batch.num_tokens = data.num_tokens;
    batch.rows = data.rows;
    batch.outputs = {name};
    std::uint64_t start = 0;
    for (const Part& part : parts) {
      batch.sequences.push_back(
          {part.sequence, start, part.count, pool_->seq_length(part.sequence, 0)});
      start += part.count;
    }
    for (const auto& [input, values] : data.integers) {
      batch.inputs.push_back(to_abi(input, values.data(), values.size() * sizeof(values[0])));
    }
    for (const auto& [input, values] : data.floats) {
      batch.inputs.push_back(to_abi(input, values.data(), values.size() * sizeof(values[0])));
    }
    const vernal_ticket ticket = pool_->step_submit(batch);
    pool_->step_wait(ticket, 0);
    const StepOutput output = pool_->step_output(ticket, name);
    std::vector<float> values(output.data, output.data + output.rows * output.columns);
    pool_->step_release(ticket);
    return values;
  }

 private:
  static std::vector<reference::StoredWeight> stored_weights(const Module& module,
                                                             const MadeWeights& weights) {
    std::vector<reference::StoredWeight> out;
    for (const Weight& weight : module.weights) {
      reference::StoredWeight stored;
      stored.format = find_block_type(std::string_view(weight.format));
      stored.columns = weight.shape.last();
      stored.num_rows = weight.shape.num_rows();
      stored.bytes = weights.bytes(weight.name);
      out.push_back(stored);
    }
    return out;
  }

  std::shared_ptr<const MadeWeights> weights_;
  reference::Program program_;
  std::unique_ptr<BackendPool> pool_;
};

}  // namespace

std::unique_ptr<Machine> make_oracle(const MadeModule& made, const PlanOptions& options) {
  return std::make_unique<Oracle>(made, options);
}

}  // namespace vernal::check
