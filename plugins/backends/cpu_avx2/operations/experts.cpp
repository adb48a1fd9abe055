// moe_route/1 and moe_glu/1: the choice of experts and their gated feed-forward.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/moe_route.hpp"
#include "operations/glu.hpp"
#include "operations/linear.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// f32 and i32 alike.
constexpr std::int64_t kNumberBytes = 4;

class MoeRouteOperation final : public Operation {
 public:
  struct Parameters {
    BufferId scores;
    BufferId ids;
    BufferId weights;
    std::int64_t bias;  ///< index of the weight, or -1
    MoeRoute shape;     ///< everything that does not depend on the step
  };
  explicit MoeRouteOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

MoeRouteOperation::MoeRouteOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.scores};
  writes = {p_.ids, p_.weights};
  scratch_bytes = moe_route_scratch_floats(p_.shape) * kNumberBytes;
}

void MoeRouteOperation::run(const StepContext& step, Worker& worker) const noexcept {
  MoeRoute route = p_.shape;
  route.scores = step.values(p_.scores);
  if (p_.bias >= 0) route.bias = step.weights->numbers(static_cast<std::uint32_t>(p_.bias));
  route.ids = reinterpret_cast<std::int32_t*>(step.at(p_.ids));
  route.weights = step.floats(p_.weights);
  worker.parallel_for(step.num_tokens, chunk_of(step.num_tokens, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        moe_route_rows(route, first, last, step.worker_scratch(worker));
                      });
}

MoeRoute route_parameters(const Function& function, const Node& node) {
  const RouteOptions options = route_options(node);
  MoeRoute route;
  route.num_experts = function.values[node.operands[0].index].shape[1];
  route.num_used = options.k;
  route.num_groups = options.n_group;
  route.num_used_groups = options.topk_group;
  route.scale = static_cast<float>(options.scale);
  route.is_sigmoid = options.score == "sigmoid";
  route.scores_before = options.when == "before";
  route.is_renormalized = options.renorm;
  return route;
}

void compile_moe_route(FunctionBuilder& builder, const Node& node) {
  builder.emit<MoeRouteOperation>(MoeRouteOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node, 0), builder.new_output(node, 1),
      FunctionBuilder::weight(node, 1), route_parameters(builder.function(), node)});
}

/// Tokens are worked through kTokens at a time. Each brings k *visits*, one to each of its experts;
/// the visits of a stretch are ordered by expert, so that all who visit one share a matrix product
/// over its weights. What a visit computes depends on its own token alone.
class MoeGluOperation final : public Operation {
 public:
  static constexpr std::int64_t kTokens = 512;

  /// One of the three weights [E, N, K].
  struct Matrix {
    std::uint32_t weight;
    std::int64_t bias;  ///< index of the weight [E, N], or -1
    ActivationKind kind;
    BufferId input;            ///< rows of K by visit, as the format reads them
    BufferId output;           ///< f32 [visits][N]
    std::int64_t num_columns;  ///< K
    std::int64_t num_outputs;  ///< N
  };
  struct Parameters {
    BufferId x;
    BufferId ids;
    BufferId weights;
    BufferId y;
    Matrix gate;
    Matrix up;           ///< its input may be that of gate
    Matrix down;         ///< its input, if it is floats, is the output of gate
    GluRows gate_rows;   ///< kind and numbers of the gated unit
    bool weights_input;  ///< x is weighted before the experts, else their results are
    std::int64_t num_used;
    std::int64_t num_experts;
    std::int64_t pack_bytes;  ///< of scratch for weights that are used in place; 0: none is
  };
  explicit MoeGluOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

  /// Greatest number of visits of a stretch, for the sizes of the buffers.
  static std::int64_t most_visits(std::int64_t max_tokens, std::int64_t num_used) {
    return (max_tokens < kTokens ? max_tokens : kTokens) * num_used;
  }

 private:
  struct Stretch;

  /// Numbers of a worker's scratch memory before its row: the arrays of a stretch.
  std::int64_t scratch_numbers() const {
    return 2 * p_.num_experts + 1 + 2 * kTokens * p_.num_used;
  }
  /// Bytes before packed groups, which follow the row.
  std::int64_t packed_at() const {
    return ((scratch_numbers() + p_.gate.num_columns) * kNumberBytes + 63) / 64 * 64;
  }
  void plan(const StepContext& step, Stretch& stretch) const;
  void collect(const StepContext& step, Worker& worker, const Stretch& stretch) const;
  void multiply(const StepContext& step, Worker& worker, const Stretch& stretch,
                std::span<const Matrix* const> matrices) const;
  void gate_visits(const StepContext& step, Worker& worker, const Stretch& stretch) const;
  void add_visits(const StepContext& step, Worker& worker, const Stretch& stretch) const;

  Parameters p_;
};

/// Some tokens and where their visits stand. The arrays lie in the scratch memory of a worker: each
/// makes its own, which is less work than waiting for one that does.
struct MoeGluOperation::Stretch {
  std::int64_t first_token = 0;
  std::int64_t num_tokens = 0;
  std::int64_t num_visits = 0;
  std::int64_t num_visited = 0;     // experts
  std::int32_t* starts = nullptr;   // [num_experts + 1]: first visit of each expert
  std::int32_t* visited = nullptr;  // [num_experts]: experts with visits, ascending
  std::int32_t* choices = nullptr;  // by visit: token * num_used + place, counted from the stretch
  std::int32_t* places = nullptr;   // the other way: by choice the visit
  float* row = nullptr;             // [num_columns]: a weighted row of x
  std::byte* packed = nullptr;      // [pack_bytes]
};

MoeGluOperation::MoeGluOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.ids, p_.weights};
  writes = {p_.y};
  for (const Matrix* matrix : {&p_.gate, &p_.up, &p_.down}) {
    writes.push_back(matrix->input);
    writes.push_back(matrix->output);
  }
  scratch_bytes = packed_at() + p_.pack_bytes;
}

/// Orders the visits by expert, and by token within one.
void MoeGluOperation::plan(const StepContext& step, Stretch& stretch) const {
  const std::int32_t* ids = step.integers(p_.ids) + stretch.first_token * p_.num_used;
  std::fill_n(stretch.starts, p_.num_experts + 1, 0);
  for (std::int64_t i = 0; i < stretch.num_visits; ++i) ++stretch.starts[ids[i] + 1];
  for (std::int64_t e = 0; e < p_.num_experts; ++e) {
    if (stretch.starts[e + 1] > 0) {
      stretch.visited[stretch.num_visited++] = static_cast<std::int32_t>(e);
    }
    stretch.starts[e + 1] += stretch.starts[e];
  }
  for (std::int64_t i = 0; i < stretch.num_visits; ++i) {
    const std::int32_t visit = stretch.starts[ids[i]]++;
    stretch.choices[visit] = static_cast<std::int32_t>(i);
    stretch.places[i] = visit;
  }
  // Every start has moved to the next expert's.
  for (std::int64_t e = p_.num_experts; e > 0; --e) stretch.starts[e] = stretch.starts[e - 1];
  stretch.starts[0] = 0;
}

/// Writes each visit's row of x as gate and up read it.
void MoeGluOperation::collect(const StepContext& step, Worker& worker,
                              const Stretch& stretch) const {
  const std::int64_t columns = p_.gate.num_columns;
  const auto collect_rows = [&](const Matrix& matrix, std::int64_t first, std::int64_t last) {
    const ActivationBlocks blocks =
        matrix.kind == ActivationKind::kFloat
            ? ActivationBlocks{}
            : activation_blocks(matrix.kind, stretch.num_visits, columns, step.at(matrix.input));
    for (std::int64_t visit = first; visit < last; ++visit) {
      const std::int64_t choice = stretch.first_token * p_.num_used + stretch.choices[visit];
      const float* x = step.values(p_.x) + choice / p_.num_used * columns;
      float* row = matrix.kind == ActivationKind::kFloat
                       ? step.floats(matrix.input) + visit * columns
                       : stretch.row;
      if (p_.weights_input) {
        scale(x, step.values(p_.weights)[choice], row, 0, columns);
        x = row;
      } else if (matrix.kind == ActivationKind::kFloat) {
        std::copy_n(x, columns, row);
      }
      if (matrix.kind != ActivationKind::kFloat) {
        quantize_rows(x, 0, blocks, visit, visit + 1);
      }
    }
  };
  worker.parallel_for(stretch.num_visits, chunk_of(stretch.num_visits, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        collect_rows(p_.gate, first, last);
                        if (p_.up.input != p_.gate.input) collect_rows(p_.up, first, last);
                      });
}

/// Rows [first, first + count) of quantised activations.
ActivationBlocks rows_of(ActivationBlocks blocks, std::int64_t first) {
  blocks.codes += first * blocks.block_columns();
  blocks.scales += first;
  if (blocks.scaled_sums) blocks.scaled_sums += first;
  blocks.sums += first * blocks.sums_per_block();
  return blocks;
}

/// The products of every visit with one or two matrices of its expert.
void MoeGluOperation::multiply(const StepContext& step, Worker& worker, const Stretch& stretch,
                               std::span<const Matrix* const> matrices) const {
  const auto matmul_of = [&](const Matrix& m, std::int64_t expert) {
    const std::int64_t first = stretch.starts[expert];
    Matmul matmul;
    matmul.weights = step.weights->matrix(m.weight, expert);
    matmul.num_tokens = stretch.starts[expert + 1] - first;
    if (m.kind == ActivationKind::kFloat) {
      matmul.x = step.floats(m.input) + first * m.num_columns;
      matmul.x_stride = m.num_columns;
    } else {
      matmul.blocks = rows_of(
          activation_blocks(m.kind, stretch.num_visits, m.num_columns, step.at(m.input)), first);
    }
    if (m.bias >= 0) {
      matmul.bias =
          step.weights->numbers(static_cast<std::uint32_t>(m.bias)) + expert * m.num_outputs;
    }
    matmul.y = step.floats(m.output) + first * m.num_outputs;
    matmul.y_stride = m.num_outputs;
    return matmul;
  };
  const Matrix& some = *matrices.front();
  const PackedMatrix shape = step.weights->matrix(some.weight, 0);
  const std::int64_t groups = shape.num_groups();
  const std::int64_t piece = groups_per_claim(shape, stretch.num_visited * groups, worker);
  const std::int64_t pieces = (groups + piece - 1) / piece;
  worker.parallel_for(stretch.num_visited * pieces, 1, [&](std::int64_t i, std::int64_t) {
    const std::int64_t expert = stretch.visited[i / pieces];
    const std::int64_t first = i % pieces * piece;
    for (const Matrix* matrix : matrices) {
      multiply_groups(*step.weights, {matrix->weight, expert}, matmul_of(*matrix, expert), first,
                      std::min(first + piece, groups), stretch.packed);
    }
  });
}

/// The gated unit of each visit, as the last product reads it.
void MoeGluOperation::gate_visits(const StepContext& step, Worker& worker,
                                  const Stretch& stretch) const {
  const std::int64_t columns = p_.gate.num_outputs;
  GluRows glu = p_.gate_rows;
  glu.gate = step.floats(p_.gate.output);
  glu.up = step.floats(p_.up.output);
  glu.y = step.floats(p_.gate.output);
  glu.gate_stride = glu.up_stride = glu.y_stride = glu.num_columns = columns;
  ActivationBlocks blocks;
  if (p_.down.kind != ActivationKind::kFloat) {
    blocks = activation_blocks(p_.down.kind, stretch.num_visits, columns, step.at(p_.down.input));
  }
  worker.parallel_for(stretch.num_visits, chunk_of(stretch.num_visits, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        for (std::int64_t visit = first; visit < last; ++visit) {
                          glu_rows(glu, visit, visit + 1);
                          if (p_.down.kind == ActivationKind::kFloat) continue;
                          quantize_rows(glu.y, columns, blocks, visit, visit + 1);
                        }
                      });
}

/// Adds up each token's visits, in the order of its choices.
void MoeGluOperation::add_visits(const StepContext& step, Worker& worker,
                                 const Stretch& stretch) const {
  const std::int64_t columns = p_.down.num_outputs;
  const float* results = step.floats(p_.down.output);
  const auto add_token = [&](std::int64_t t) {
    float* y = step.floats(p_.y) + (stretch.first_token + t) * columns;
    const float* weights = step.values(p_.weights) + (stretch.first_token + t) * p_.num_used;
    for (std::int64_t n = 0; n < p_.num_used; ++n) {
      const float* row = results + stretch.places[t * p_.num_used + n] * columns;
      const float weight = p_.weights_input ? 1.0F : weights[n];
      if (n == 0) {
        scale(row, weight, y, 0, columns);
      } else {
        add_scaled(row, weight, y, 0, columns);
      }
    }
  };
  worker.parallel_for(stretch.num_tokens, chunk_of(stretch.num_tokens, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        for (std::int64_t t = first; t < last; ++t) add_token(t);
                      });
}

void MoeGluOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Stretch stretch;
  stretch.starts = reinterpret_cast<std::int32_t*>(step.worker_scratch(worker));
  stretch.visited = stretch.starts + p_.num_experts + 1;
  stretch.choices = stretch.visited + p_.num_experts;
  stretch.places = stretch.choices + kTokens * p_.num_used;
  stretch.row = step.worker_scratch(worker) + scratch_numbers();
  stretch.packed = reinterpret_cast<std::byte*>(step.worker_scratch(worker)) + packed_at();
  const std::array<const Matrix*, 2> first_two{&p_.gate, &p_.up};
  const std::array<const Matrix*, 1> last{&p_.down};
  for (std::int64_t token = 0; token < step.num_tokens; token += kTokens) {
    if (token > 0) worker.barrier();
    stretch.first_token = token;
    stretch.num_tokens = std::min(kTokens, step.num_tokens - token);
    stretch.num_visits = stretch.num_tokens * p_.num_used;
    stretch.num_visited = 0;
    plan(step, stretch);
    collect(step, worker, stretch);
    worker.barrier();
    multiply(step, worker, stretch, first_two);
    worker.barrier();
    gate_visits(step, worker, stretch);
    worker.barrier();
    multiply(step, worker, stretch, last);
    worker.barrier();
    add_visits(step, worker, stretch);
  }
}

/// A matrix of moe_glu/1, the node's operand i, whose input is rows of K by visit.
MoeGluOperation::Matrix expert_matrix(FunctionBuilder& builder, const Node& node, std::size_t i,
                                      std::int64_t visits) {
  const Weight& w = builder.operand_weight(node, i);
  MoeGluOperation::Matrix m{};
  m.weight = node.operands[i].index;
  m.bias = FunctionBuilder::weight(node, i + 3);
  m.kind = find_weight_format(w.format)->activations;
  m.num_outputs = w.shape[1];
  m.num_columns = w.shape[2];
  m.output = builder.add_buffer(visits * m.num_outputs * kFloatBytes);
  return m;
}

BufferId visit_rows(FunctionBuilder& builder, const MoeGluOperation::Matrix& m,
                    std::int64_t visits) {
  return builder.add_buffer(
      m.kind == ActivationKind::kFloat
          ? visits * m.num_columns * kFloatBytes
          : static_cast<std::int64_t>(activation_bytes(m.kind, visits, m.num_columns)));
}

/// Room for the groups of a claim of any of them. Those of one product claim alike.
std::int64_t pack_bytes(const FunctionBuilder& builder,
                        std::initializer_list<MoeGluOperation::Matrix> matrices) {
  std::int64_t groups = 0;
  std::int64_t bytes = 0;
  for (const MoeGluOperation::Matrix& m : matrices) {
    const WeightLayout::Entry& entry = builder.context().weights.entries()[m.weight];
    groups = std::max(groups, most_groups_per_claim(*entry.format, m.num_columns));
    if (entry.is_in_place) bytes = std::max(bytes, group_bytes(*entry.format, m.num_columns));
  }
  return groups * bytes;
}

void compile_moe_glu(FunctionBuilder& builder, const Node& node) {
  MoeGluOperation::Parameters p{};
  p.x = builder.operand(node, 0);
  p.ids = builder.operand(node, 1);
  p.weights = builder.operand(node, 2);
  p.num_used = builder.operand_shape(node, 1)[1];
  p.num_experts = builder.operand_weight(node, 3).shape[0];
  if (builder.is_input(p.ids)) builder.limit_input(p.ids, p.num_experts);
  const std::int64_t visits = MoeGluOperation::most_visits(builder.max_tokens(), p.num_used);
  p.gate = expert_matrix(builder, node, 3, visits);
  p.up = expert_matrix(builder, node, 4, visits);
  p.down = expert_matrix(builder, node, 5, visits);
  p.gate.input = visit_rows(builder, p.gate, visits);
  p.up.input = p.up.kind == p.gate.kind ? p.gate.input : visit_rows(builder, p.up, visits);
  const bool is_float = p.down.kind == ActivationKind::kFloat;
  p.down.input = is_float ? p.gate.output : visit_rows(builder, p.down, visits);
  p.gate_rows = glu_parameters(node);
  p.weights_input = experts_weight_on(node) == "in";
  p.pack_bytes = pack_bytes(builder, {p.gate, p.up, p.down});
  p.y = builder.new_output(node);
  builder.emit<MoeGluOperation>(p);
}

Refusal refuse_experts(const Module&, const Function&, const Node& node) {
  return refuse_glu_kind(node);
}

}  // namespace

std::span<const OperationDescriptor> expert_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{.op = "vernal.moe_route/1",
                          .attributes = backend::kRouteAttributes,
                          .compile = compile_moe_route,
                          .makes_integers = true},
      OperationDescriptor{"vernal.moe_glu/1", backend::kExpertsAttributes, compile_moe_glu,
                          refuse_experts, backend::kExpertWeights},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2
