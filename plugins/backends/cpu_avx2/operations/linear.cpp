#include "operations/linear.hpp"

#include <algorithm>
#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Weights that a worker claims at a time: 4 us of reading, so that the last claim of an operation
/// leaves the others waiting for little.
constexpr std::int64_t kClaimBytes = 64 * 1024;

/// But no more than 64 rows, however short: with many tokens each of them is work enough.
constexpr std::int64_t kMostGroups = 8;

}  // namespace

namespace {

/// The groups of a claim of at most `most`, as many as a kernel likes to have side by side.
std::int64_t claim_groups(const WeightFormat& format, std::int64_t num_columns, std::int64_t most) {
  const std::int64_t together = format.groups_at_once;
  const std::int64_t groups =
      std::clamp<std::int64_t>(kClaimBytes / group_bytes(format, num_columns), 1, most);
  return (groups + together - 1) / together * together;
}

}  // namespace

std::int64_t most_groups_per_claim(const WeightFormat& format, std::int64_t num_columns) {
  return claim_groups(format, num_columns, kMostGroups);
}

std::int64_t groups_per_claim(const PackedMatrix& matrix, std::int64_t num_groups,
                              const Worker& worker) {
  return claim_groups(*matrix.format, matrix.num_columns,
                      std::min(chunk_of(num_groups, worker), kMostGroups));
}

void multiply_groups(const Weights& weights, MatrixId id, const Matmul& matmul, std::int64_t first,
                     std::int64_t last, std::byte* scratch) {
  if (matmul.weights.data != nullptr) {
    matmul_groups(matmul, first, last);
    return;
  }
  weights.pack_groups(id.weight, id.expert, first, last, scratch);
  const std::int64_t row = first * kRowGroup;
  Matmul piece = matmul;
  piece.weights.data = scratch;
  piece.weights.num_rows = std::min(last * kRowGroup, matmul.weights.num_rows) - row;
  if (piece.bias != nullptr) piece.bias += row;
  if (piece.residual != nullptr) piece.residual += row;
  piece.y += row;
  matmul_groups(piece, 0, last - first);
}

QuantizeOperation::QuantizeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.blocks};
}

void QuantizeOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const std::int64_t rows = step.count(p_.rows);
  const ActivationBlocks blocks =
      activation_blocks(p_.kind, rows, p_.num_columns, step.at(p_.blocks));
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    quantize_rows(step.values(p_.x), p_.num_columns, blocks, first, last);
  });
}

namespace {

/// y = x W^T + bias (+ residual).
class LinearOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;         ///< f32, or the quantised form that the weight's format needs
    BufferId numbers;   ///< x in f32, which a stream of weights reads
    BufferId residual;  ///< f32 [rows, N] added to the result, or kNoBuffer
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;  ///< index of the weight, or -1
    ActivationKind kind;
    RowCount rows;
    std::int64_t num_columns;  ///< K
    std::int64_t num_outputs;  ///< N
  };
  /// pack_bytes: of scratch for each worker, if the weight is used in place; else 0.
  LinearOperation(const Parameters& parameters, std::int64_t pack_bytes);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  bool run_streamed(const StepContext& step, Worker& worker) const noexcept;
  void add_to_results(const StepContext& step, Worker& worker) const noexcept;

  Parameters p_;
};

LinearOperation::LinearOperation(const Parameters& parameters, std::int64_t pack_bytes)
    : p_(parameters) {
  scratch_bytes = pack_bytes;
  reads = {p_.x};
  if (p_.numbers != p_.x) reads.push_back(p_.numbers);
  if (p_.residual != kNoBuffer) reads.push_back(p_.residual);
  writes = {p_.y};
}

/// Gives the product to the stream of weights. False: it is to be computed here. All workers say the
/// same.
bool LinearOperation::run_streamed(const StepContext& step, Worker& worker) const noexcept {
  const std::int64_t rows = step.count(p_.rows);
  if (step.streamed == nullptr || !step.streamed->takes(p_.weight, rows)) return false;
  worker.barrier();  // all have asked, and are done with the memory of the results
  if (worker.index() == 0) {
    step.streamed->multiply(p_.weight, step.values(p_.numbers), rows, step.floats(p_.y));
  }
  worker.barrier();
  if (step.streamed->has_failed()) return false;
  if (p_.bias >= 0 || p_.residual != kNoBuffer) add_to_results(step, worker);
  return true;
}

void LinearOperation::add_to_results(const StepContext& step, Worker& worker) const noexcept {
  const float* const bias =
      p_.bias >= 0 ? step.weights->numbers(static_cast<std::uint32_t>(p_.bias)) : nullptr;
  const float* const residual = p_.residual != kNoBuffer ? step.values(p_.residual) : nullptr;
  float* const y = step.floats(p_.y);
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      float* const out = y + row * p_.num_outputs;
      for (std::int64_t n = 0; bias != nullptr && n < p_.num_outputs; ++n) out[n] += bias[n];
      if (residual == nullptr) continue;
      for (std::int64_t n = 0; n < p_.num_outputs; ++n)
        out[n] += residual[row * p_.num_outputs + n];
    }
  });
}

void LinearOperation::run(const StepContext& step, Worker& worker) const noexcept {
  if (run_streamed(step, worker)) return;
  Matmul matmul;
  matmul.weights = step.weights->matrix(p_.weight);
  matmul.num_tokens = step.count(p_.rows);
  if (p_.kind == ActivationKind::kFloat) {
    matmul.x = step.values(p_.x);
    matmul.x_stride = p_.num_columns;
  } else {
    matmul.blocks = activation_blocks(p_.kind, matmul.num_tokens, p_.num_columns, step.at(p_.x));
  }
  if (p_.bias >= 0) matmul.bias = step.weights->numbers(static_cast<std::uint32_t>(p_.bias));
  if (p_.residual != kNoBuffer) matmul.residual = step.values(p_.residual);
  matmul.y = step.floats(p_.y);
  matmul.y_stride = p_.num_outputs;
  const std::int64_t groups = matmul.weights.num_groups();
  const std::int64_t chunk = groups_per_claim(matmul.weights, groups, worker);
  auto* const scratch = reinterpret_cast<std::byte*>(step.worker_scratch(worker));
  worker.parallel_shares(groups, chunk, [&](std::int64_t first, std::int64_t last) {
    multiply_groups(*step.weights, {p_.weight, 0}, matmul, first, last, scratch);
  });
}

/// Takes in the add/1 after it, if that adds something already computed.
void compile_linear(FunctionBuilder& builder, const Node& node) {
  const std::uint32_t x = FunctionBuilder::value(node, 0);
  const Weight& w = builder.operand_weight(node, 1);
  LinearOperation::Parameters p{};
  p.kind = find_weight_format(w.format)->activations;
  p.x = p.kind == ActivationKind::kFloat ? builder.buffer(x) : builder.quantized(x, p.kind);
  p.numbers = builder.buffer(x);
  p.residual = kNoBuffer;
  p.weight = node.operands[1].index;
  p.bias = FunctionBuilder::weight(node, 2);
  p.rows = builder.rows(x).rows;
  p.num_columns = w.shape[1];
  p.num_outputs = w.shape[0];
  std::uint32_t result = node.outputs[0];
  if (const backend::ResidualAdd add = backend::find_residual_add(builder, node);
      add.node != nullptr) {
    p.residual = builder.buffer(add.other);
    result = add.node->outputs[0];
    builder.mark_done(*add.node);
  }
  p.y = builder.new_buffer(result);
  const WeightLayout::Entry& entry = builder.context().weights.entries()[p.weight];
  const std::int64_t pack_bytes = entry.is_in_place
                                      ? most_groups_per_claim(*entry.format, p.num_columns) *
                                            group_bytes(*entry.format, p.num_columns)
                                      : 0;
  builder.emit<LinearOperation>(p, pack_bytes);
}

}  // namespace

std::span<const OperationDescriptor> linear_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.linear/1", backend::kLinearAttributes, compile_linear, nullptr,
                          backend::kLinearWeights},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2
