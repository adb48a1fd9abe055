#include "operations/rows.hpp"

#include <algorithm>

#include "kernels/elementwise/rmsnorm.hpp"
#include "kernels/matmul/activation_blocks.hpp"

namespace vernal::cpu_avx2 {

RowOperation::RowOperation(BufferId y, RowCount rows, std::int64_t num_columns)
    : y_(y), rows_(rows), num_columns_(num_columns) {}

void RowOperation::add_quantized(const QuantizedCopy& copy) {
  copies_.push_back(copy);
  writes.push_back(copy.blocks);
}

void RowOperation::quantize(const StepContext& step, std::int64_t first, std::int64_t last) const {
  for (const QuantizedCopy& copy : copies_) {
    const ActivationBlocks blocks =
        activation_blocks(copy.kind, step.count(rows_), num_columns_, step.at(copy.blocks));
    quantize_rows(step.floats(y_), num_columns_, blocks, first, last);
  }
}

NormOperation::NormOperation(const Parameters& parameters)
    : RowOperation(parameters.y, parameters.rows, parameters.num_columns), p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void NormOperation::run(const StepContext& step, Worker& worker) const noexcept {
  RmsNorm norm;
  norm.x = step.values(p_.x);
  norm.y = step.floats(p_.y);
  if (p_.weight >= 0) norm.weight = step.weights->numbers(static_cast<std::uint32_t>(p_.weight));
  norm.num_columns = p_.num_columns;
  norm.epsilon = p_.epsilon;
  norm.is_l2 = p_.is_l2;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      rmsnorm_rows(norm, row, row + 1);
      quantize(step, row, row + 1);
    }
  });
}

GluOperation::GluOperation(const Parameters& parameters)
    : RowOperation(parameters.y, parameters.rows, parameters.num_columns), p_(parameters) {
  reads = {p_.gate, p_.up};
  writes = {p_.y};
}

void GluOperation::run(const StepContext& step, Worker& worker) const noexcept {
  GluRows glu;
  glu.kind = p_.kind;
  glu.gate = step.values(p_.gate);
  glu.up = step.values(p_.up);
  glu.y = step.floats(p_.y);
  glu.gate_stride = glu.up_stride = glu.y_stride = glu.num_columns = p_.num_columns;
  glu.alpha = p_.alpha;
  glu.limit = p_.limit;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      glu_rows(glu, row, row + 1);
      quantize(step, row, row + 1);
    }
  });
}

MapOperation::MapOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void MapOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(p_.x);
  float* y = step.floats(p_.y);
  const std::int64_t count = step.count(p_.rows) * p_.num_columns;
  const std::int64_t chunk = std::max<std::int64_t>(1024, chunk_of(count, worker));
  worker.parallel_for(count, chunk, [&](std::int64_t first, std::int64_t last) {
    switch (p_.kind) {
      case Kind::kActivate:
        activate(p_.activation, x, y, first, last);
        break;
      case Kind::kScale:
        scale(x, p_.number, y, first, last);
        break;
      case Kind::kSoftcap:
        softcap(x, p_.number, y, first, last);
        break;
    }
  });
}

BinaryOperation::BinaryOperation(const Parameters& parameters) : p_(parameters) {
  for (const Source* source : {&p_.a, &p_.b}) {
    if (source->value != kNoBuffer) reads.push_back(source->value);
  }
  writes = {p_.y};
}

void BinaryOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const auto numbers = [&](const Source& source) {
    return source.value != kNoBuffer
               ? step.values(source.value)
               : step.weights->numbers(static_cast<std::uint32_t>(source.weight));
  };
  BinaryRows binary;
  binary.kind = p_.kind;
  binary.a = numbers(p_.a);
  binary.b = numbers(p_.b);
  binary.y = step.floats(p_.y);
  binary.dims = p_.dims;
  for (std::int64_t& dim : binary.dims) {
    if (dim < 0) dim = step.count({dim, 1});
  }
  binary.a_strides = p_.a.strides;
  binary.b_strides = p_.b.strides;
  const std::int64_t rows = binary.dims[0] * binary.dims[1] * binary.dims[2];
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    binary_rows(binary, first, last);
  });
}

EmbedOperation::EmbedOperation(const Parameters& parameters, std::int64_t row_scratch)
    : p_(parameters) {
  reads = {p_.ids};
  writes = {p_.y};
  scratch_bytes = row_scratch;
}

void EmbedOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const std::int32_t* ids = step.integers(p_.ids);
  auto* scratch = reinterpret_cast<std::byte*>(step.worker_scratch(worker));
  worker.parallel_for(step.num_tokens, 1, [&](std::int64_t token, std::int64_t) {
    float* y = step.floats(p_.y) + token * p_.num_columns;
    step.weights->read_row(p_.weight, ids[token], scratch, y);
    if (p_.scale != 1.0F) scale(y, p_.scale, y, 0, p_.num_columns);
  });
}

SelectRowsOperation::SelectRowsOperation(BufferId x, BufferId index, BufferId y,
                                         std::int64_t num_columns)
    : num_columns_(num_columns) {
  reads = {x, index};
  writes = {y};
}

void SelectRowsOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(reads[0]);
  const std::int32_t* index = step.integers(reads[1]);
  float* y = step.floats(writes[0]);
  worker.parallel_for(
      step.num_rows, chunk_of(step.num_rows, worker), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r) {
          std::copy_n(x + index[r] * num_columns_, num_columns_, y + r * num_columns_);
        }
      });
}

OverrideRowsOperation::OverrideRowsOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.external, p_.index};
  writes = {p_.y};
}

void OverrideRowsOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* external = step.values(p_.external);
  const std::int32_t* index = step.integers(p_.index);
  worker.parallel_for(step.num_tokens, 1, [&](std::int64_t token, std::int64_t) {
    const float* row = step.values(p_.x) + token * p_.num_columns;
    // Rows are overridden in order, so the last mention of a token wins.
    for (std::int64_t i = 0; i < step.num_external; ++i) {
      if (index[i] == token) row = external + i * p_.num_columns;
    }
    std::copy_n(row, p_.num_columns, step.floats(p_.y) + token * p_.num_columns);
  });
}

CopyAxisOperation::CopyAxisOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void CopyAxisOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(p_.x) + p_.x_start * p_.inner;
  float* y = step.floats(p_.y) + p_.y_start * p_.inner;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      std::copy_n(x + r * p_.x_axis * p_.inner, p_.length * p_.inner, y + r * p_.y_axis * p_.inner);
    }
  });
}

}  // namespace vernal::cpu_avx2
