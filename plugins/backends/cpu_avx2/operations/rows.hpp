// Operations row by row: norms, gated units, element-wise functions, lookups and copies.
#pragma once

#include <array>

#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

/// The quantised form that an operation writes beside its result, for the products that follow.
struct QuantizedCopy {
  BufferId blocks = kNoBuffer;
  ActivationKind kind = ActivationKind::kFloat;
};

/// An operation that makes whole rows and can quantise them while they are in the cache.
class RowOperation : public Operation {
 public:
  /// Asks for the quantised form of the result as well. At most once for each kind.
  void add_quantized(const QuantizedCopy& copy);

 protected:
  RowOperation(BufferId y, RowCount rows, std::int64_t num_columns);
  /// Quantises rows [first, last) of y wherever it was asked for.
  void quantize(const StepContext& step, std::int64_t first, std::int64_t last) const;

  BufferId y_;
  RowCount rows_;
  std::int64_t num_columns_;

 private:
  std::vector<QuantizedCopy> copies_;
};

class NormOperation final : public RowOperation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    std::int64_t weight;  ///< index, or -1
    RowCount rows;
    std::int64_t num_columns;
    float epsilon;
    bool is_l2;  ///< l2norm/1, else rmsnorm/1
  };
  explicit NormOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

class GluOperation final : public RowOperation {
 public:
  struct Parameters {
    BufferId gate;
    BufferId up;
    BufferId y;
    Glu kind;
    RowCount rows;
    std::int64_t num_columns;
    float alpha;
    float limit;
  };
  explicit GluOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// y = f(x) of one value: act/1, scale/1, softcap/1.
class MapOperation final : public Operation {
 public:
  enum class Kind : std::uint8_t { kActivate, kScale, kSoftcap };
  struct Parameters {
    BufferId x;
    BufferId y;
    Kind kind;
    Activation activation;
    float number;  ///< factor or cap
    RowCount rows;
    std::int64_t num_columns;
  };
  explicit MapOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// add/1, mul/1 of two values, or a value and a weight.
class BinaryOperation final : public Operation {
 public:
  struct Source {
    BufferId value;       ///< or kNoBuffer
    std::int64_t weight;  ///< index, or -1
    std::array<std::int64_t, 4> strides;
  };
  struct Parameters {
    Source a;
    Source b;
    BufferId y;
    Binary kind;
    std::array<std::int64_t, 4> dims;  ///< one may be VERNAL_DIM_TOKENS or VERNAL_DIM_ROWS
  };
  explicit BinaryOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

class EmbedOperation final : public Operation {
 public:
  struct Parameters {
    BufferId ids;
    BufferId y;
    std::uint32_t weight;
    std::int64_t num_columns;
    float scale;
  };
  /// row_scratch: row_scratch_bytes() of the table.
  EmbedOperation(const Parameters& parameters, std::int64_t row_scratch);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// y[r] = x[index[r]]: select_rows/1.
class SelectRowsOperation final : public Operation {
 public:
  SelectRowsOperation(BufferId x, BufferId index, BufferId y, std::int64_t num_columns);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  std::int64_t num_columns_;
};

/// y = x, then y[index[i]] = ext[i]: override_rows/1. The number of external rows is that of the
/// input.
class OverrideRowsOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId external;
    BufferId index;
    BufferId y;
    std::int64_t num_columns;
  };
  explicit OverrideRowsOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// Copies a part of an axis: slice/1, one output of split/1, one operand of concat/1. A value is
/// [rows, axis, inner].
class CopyAxisOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    RowCount rows;
    std::int64_t inner;
    std::int64_t length;
    std::int64_t x_axis;
    std::int64_t x_start;
    std::int64_t y_axis;
    std::int64_t y_start;
  };
  explicit CopyAxisOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

}  // namespace vernal::cpu_avx2
