#include "kernels/elementwise/rope.hpp"

#include <array>
#include <vector>

#include "compile/function_builder.hpp"
#include "device/cuda_error.hpp"
#include "operations/operation_table.hpp"
#include "operations/rope.hpp"
#include "operations/rope_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

RopeTableOperation::RopeTableOperation(const RopeOptions& options, std::int64_t factors,
                                       std::int64_t num_axes, BufferId positions, BufferId table,
                                       std::int64_t most_tokens)
    : options_(options), factors_(factors), num_axes_(num_axes), most_tokens_(most_tokens) {
  reads = {positions};
  writes = {table};
}

std::int64_t RopeTableOperation::constant_bytes() const {
  constexpr auto kPairBytes = static_cast<std::int64_t>(sizeof(double) + sizeof(std::int32_t));
  return options_.n_rot / 2 * kPairBytes;
}

void RopeTableOperation::prepare(const Weights& weights, std::byte* at, const Stream& stream) {
  const auto num_pairs = static_cast<std::size_t>(options_.n_rot / 2);
  std::vector<float> factors;
  if (factors_ >= 0) {
    factors.resize(num_pairs);
    check_cuda(cudaMemcpyAsync(factors.data(), weights.numbers(factors_), num_pairs * sizeof(float),
                               cudaMemcpyDeviceToHost, stream.get()),
               name);
    stream.wait();
  }
  const backend::RopeFrequencies f = backend::rope_frequencies(options_, factors, num_axes_);
  const std::vector<std::int32_t> axis(f.axis.begin(), f.axis.end());
  const std::size_t radians_bytes = num_pairs * sizeof(double);
  check_cuda(cudaMemcpyAsync(at, f.radians_per_position.data(), radians_bytes,
                             cudaMemcpyHostToDevice, stream.get()),
             name);
  check_cuda(cudaMemcpyAsync(at + radians_bytes, axis.data(), num_pairs * sizeof(std::int32_t),
                             cudaMemcpyHostToDevice, stream.get()),
             name);
  stream.wait();
  radians_ = reinterpret_cast<const double*>(at);
  axis_ = reinterpret_cast<const std::int32_t*>(at + radians_bytes);
}

cudaError_t RopeTableOperation::launch(const StepContext& step) const {
  RopeAngles angles{};
  angles.radians_per_position = radians_;
  angles.axis = axis_;
  angles.positions = step.integers(positions());
  angles.table = step.floats(table());
  angles.counts = step.counts;
  angles.most_tokens = static_cast<std::int32_t>(most_tokens_);
  angles.num_pairs = static_cast<std::int32_t>(options_.n_rot / 2);
  angles.num_axes = static_cast<std::int32_t>(num_axes_);
  angles.magnitude = static_cast<float>(options_.scaling.magnitude);
  return launch_rope_angles(angles, step.size);
}

RopeOperation::RopeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.table};
  writes = {p_.y};
}

cudaError_t RopeOperation::launch(const StepContext& step) const {
  Rope rope{};
  rope.x = step.floats(p_.x);
  rope.y = step.floats(p_.y);
  rope.table = step.floats(p_.table);
  rope.counts = step.counts;
  rope.most_tokens = static_cast<std::int32_t>(p_.most_tokens);
  rope.num_pairs = static_cast<std::int32_t>(p_.num_pairs);
  rope.num_heads = static_cast<std::int32_t>(p_.num_heads);
  rope.head_dim = static_cast<std::int32_t>(p_.head_dim);
  rope.is_interleaved = p_.is_interleaved;
  return launch_rope(rope, step.size);
}

namespace {

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
  builder.rope_tables().push_back(builder.emit<RopeTableOperation>(
      options, factors, num_axes, positions, table, builder.max_tokens()));
  return table;
}

void compile_rope(FunctionBuilder& builder, const Node& node) {
  const RopeOptions options = rope_options(node);
  const BufferId table = shared_table(builder, options, node);
  const Shape& s = builder.operand_shape(node, 0);
  builder.emit<RopeOperation>(RopeOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), table, builder.max_tokens(),
      options.n_rot / 2, s[1], s[2], options.style == "interleaved"});
}

}  // namespace

std::span<const OperationDescriptor> rope_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.rope/1", backend::kRopeAttributes, compile_rope},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
