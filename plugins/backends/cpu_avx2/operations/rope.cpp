#include "operations/rope.hpp"

#include <array>
#include <utility>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// The table in a buffer of a step.
RopeTable rope_table(const StepContext& step, BufferId table, std::int64_t num_pairs) {
  float* cosines = step.floats(table);
  return {cosines, cosines + step.num_tokens * num_pairs, num_pairs};
}

}  // namespace

RopeTableOperation::RopeTableOperation(RopeOptions options, std::int64_t factors,
                                       std::int64_t num_axes, BufferId positions, BufferId table)
    : options_(std::move(options)), factors_(factors), num_axes_(num_axes) {
  reads = {positions};
  writes = {table};
}

void RopeTableOperation::prepare(const Weights& weights) {
  std::vector<float> factors;
  if (factors_ >= 0) {
    const float* numbers = weights.numbers(static_cast<std::uint32_t>(factors_));
    factors.assign(numbers, numbers + options_.n_rot / 2);
  }
  frequencies_ = rope_frequencies(options_, factors, num_axes_);
}

void RopeTableOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const RopeTable table = rope_table(step, writes[0], options_.n_rot / 2);
  const std::int32_t* positions = step.integers(reads[0]);
  worker.parallel_for(step.num_tokens, chunk_of(step.num_tokens, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        fill_rope_table(frequencies_, positions, num_axes_, table, first, last);
                      });
}

namespace {

class RopeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    BufferId table;
    std::int64_t num_pairs;
    std::int64_t num_heads;
    std::int64_t head_dim;
    bool is_interleaved;
  };
  explicit RopeOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

RopeOperation::RopeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.table};
  writes = {p_.y};
}

void RopeOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Rope rope;
  rope.x = step.values(p_.x);
  rope.y = step.floats(p_.y);
  rope.table = rope_table(step, p_.table, p_.num_pairs);
  rope.num_heads = p_.num_heads;
  rope.head_dim = p_.head_dim;
  rope.is_interleaved = p_.is_interleaved;
  worker.parallel_for(
      step.num_tokens, chunk_of(step.num_tokens, worker),
      [&](std::int64_t first, std::int64_t last) { rope_tokens(rope, first, last); });
}

/// The table of sines and cosines for these parameters, made at its first use.
BufferId shared_table(FunctionBuilder& builder, const RopeOptions& options, const Node& node) {
  const BufferId positions = builder.operand(node, 1);
  const std::int64_t factors = FunctionBuilder::weight(node, 2);
  for (const RopeTableOperation* known : builder.rope_tables()) {
    if (backend::turn_alike(known->options(), options) && known->positions() == positions &&
        known->factors() == factors) {
      return known->table();
    }
  }
  const BufferId table = builder.add_buffer(builder.max_tokens() * options.n_rot * kFloatBytes);
  const std::int64_t num_axes = builder.operand_shape(node, 1).last();
  builder.rope_tables().push_back(
      builder.emit<RopeTableOperation>(options, factors, num_axes, positions, table));
  return table;
}

void compile_rope(FunctionBuilder& builder, const Node& node) {
  const RopeOptions options = rope_options(node);
  const BufferId table = shared_table(builder, options, node);
  const Shape& s = builder.operand_shape(node, 0);
  builder.emit<RopeOperation>(
      RopeOperation::Parameters{builder.operand(node, 0), builder.new_output(node), table,
                                options.n_rot / 2, s[1], s[2], options.style == "interleaved"});
}

}  // namespace

std::span<const OperationDescriptor> rope_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.rope/1", backend::kRopeAttributes, compile_rope},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2
