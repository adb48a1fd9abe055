#include "operations/experts.hpp"

#include <algorithm>
#include <array>

#include "kernels/matmul/matmul.hpp"
#include "operations/linear.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// f32 and i32 alike.
constexpr std::int64_t kNumberBytes = 4;

}  // namespace

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
};

MoeGluOperation::MoeGluOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.ids, p_.weights};
  writes = {p_.y};
  for (const Matrix* matrix : {&p_.gate, &p_.up, &p_.down}) {
    writes.push_back(matrix->input);
    writes.push_back(matrix->output);
  }
  scratch_bytes = (scratch_numbers() + p_.gate.num_columns) * kNumberBytes;
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

namespace {

/// Rows [first, first + count) of quantised activations.
ActivationBlocks rows_of(ActivationBlocks blocks, std::int64_t first) {
  const bool is_wide = blocks.kind == ActivationKind::kBlocks256;
  blocks.codes += first * blocks.block_columns();
  blocks.scales += first;
  if (blocks.scaled_sums) blocks.scaled_sums += first;
  blocks.sums += first * (is_wide ? kSumsPerBlock256 : 1);
  return blocks;
}

}  // namespace

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
      matmul_groups(matmul_of(*matrix, expert), first, std::min(first + piece, groups));
    }
  });
}

/// The gated unit of each visit, as the last product reads it.
void MoeGluOperation::gate_visits(const StepContext& step, Worker& worker,
                                  const Stretch& stretch) const {
  const std::int64_t columns = p_.gate.num_outputs;
  GluRows glu;
  glu.kind = p_.kind;
  glu.gate = step.floats(p_.gate.output);
  glu.up = step.floats(p_.up.output);
  glu.y = step.floats(p_.gate.output);
  glu.gate_stride = glu.up_stride = glu.y_stride = glu.num_columns = columns;
  glu.alpha = p_.alpha;
  glu.limit = p_.limit;
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

}  // namespace vernal::cpu_avx2
