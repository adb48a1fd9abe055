// What a stream of weights covers of a module, and what it takes: decided before there is a device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"
#include "weights.hpp"

namespace vernal::cuda_sm86 {

/// A matrix that is multiplied slice by slice: rows of it, whole tiles but for the last ones.
struct StreamedMatrix {
  const WeightFormat* format = nullptr;
  std::int64_t num_rows = 0;     ///< N
  std::int64_t num_columns = 0;  ///< K
  std::int64_t row_bytes = 0;    ///< of the file
  std::int64_t slice_rows = 0;   ///< of every slice but the last

  /// The rows of the slice that begins at `first`.
  std::int64_t rows_from(std::int64_t first) const {
    return num_rows - first < slice_rows ? num_rows - first : slice_rows;
  }
  std::int64_t bytes() const { return num_rows * row_bytes; }
};

class StreamLayout {
 public:
  /// most_rows    of x in a product
  /// slice_bytes  the most stored bytes of a slice, and the most bytes of its results; but a slice
  ///              has at least one tile of rows
  /// Errors  INVALID_ARGUMENT: most_rows is 0;  UNSUPPORTED: it is more than a launch takes
  StreamLayout(const Module& module, std::uint64_t most_rows,
               std::int64_t slice_bytes = kStagingBytes);

  bool covers(std::uint64_t index) const {
    return index < matrices_.size() && matrices_[index].has_value();
  }
  /// Errors  INVALID_ARGUMENT: the weight is not covered
  const StreamedMatrix& matrix(std::uint64_t index) const;
  /// Indices of the weights in the order in which the nodes of "main" multiply with them.
  const std::vector<std::uint64_t>& order() const { return order_; }
  std::int64_t most_rows() const { return most_rows_; }

  // ---- bytes, 0 if nothing is covered
  std::int64_t staging_bytes() const { return staging_bytes_; }      ///< stored, of a slice
  std::int64_t tile_bytes() const { return tile_bytes_; }            ///< packed, of a slice
  std::int64_t row_scale_bytes() const { return row_scale_bytes_; }  ///< of a slice
  std::int64_t x_bytes() const { return x_bytes_; }                  ///< f32, of a product
  std::int64_t block_bytes() const { return block_bytes_; }          ///< x in 8-bit form
  std::int64_t result_bytes() const { return result_bytes_; }        ///< of a slice
  /// All that a stream allocates.
  std::int64_t device_bytes() const;
  std::int64_t pinned_bytes() const;

 private:
  void add(std::uint64_t index, const Weight& weight, std::int64_t slice_bytes);

  std::int64_t most_rows_;
  std::vector<std::optional<StreamedMatrix>> matrices_;  // by weight
  std::vector<std::uint64_t> order_;
  std::int64_t staging_bytes_ = 0;
  std::int64_t tile_bytes_ = 0;
  std::int64_t row_scale_bytes_ = 0;
  std::int64_t x_bytes_ = 0;
  std::int64_t block_bytes_ = 0;
  std::int64_t result_bytes_ = 0;
};

/// The rows of the memory table, for plan and report alike; none for no bytes.
///   device   as memory rows name it, "cuda:0"
std::vector<MemoryRow> stream_rows(std::int64_t device_bytes, std::int64_t pinned_bytes,
                                   const std::string& device);

}  // namespace vernal::cuda_sm86
