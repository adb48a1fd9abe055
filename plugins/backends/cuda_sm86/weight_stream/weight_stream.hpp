// Products with weights that stay in the model file: each is brought to the device for the product
// and forgotten again.
//
//   file -> pinned staging -> device staging -> tiles -> products -> pinned results -> caller
//
// A matrix goes through in slices. Copies to the device have a stream of their own, and while the
// device multiplies with one slice, the next ones are copied: also those of the matrix that the
// module multiplies with next, and after its last one those of the first. x is brought anew for each
// product, also where several products in a row have the same.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "device/memory.hpp"
#include "device/stagings.hpp"
#include "device/stream.hpp"
#include "kernels/step.hpp"
#include "vernal/abi/weight_stream.h"
#include "vernal/backend_plugin.hpp"
#include "weight_stream/stream_layout.hpp"

namespace vernal::cuda_sm86 {

/// vernal_weight_stream of abi/weight_stream.h. The device is the current one of the thread in every
/// call but stats().
class WeightStream {
 public:
  /// Allocates what the layout says, which is borrowed, and maps the weights that it covers.
  /// Errors  RESOURCE_EXHAUSTED: there is no room;  those of the source
  WeightStream(const StreamLayout& layout, const WeightSource& source);
  /// Waits for the device, and unmaps the weights.
  ~WeightStream();
  WeightStream(const WeightStream&) = delete;
  WeightStream& operator=(const WeightStream&) = delete;

  /// y = x W^T, see abi/weight_stream.h. One call at a time. [blocks]
  ///   x  f32 [num_rows][K], y  f32 [num_rows][N], host memory
  /// Errors  INVALID_ARGUMENT: the weight is not covered, or too many rows;  those of the device
  void multiply(std::uint64_t index, const float* x, std::int64_t num_rows, float* y);

  /// What is allocated. `device`: its name in memory rows.
  std::vector<MemoryRow> memory_report(const std::string& device) const;
  /// Any thread.
  vernal_weight_stream_stats stats() const;

 private:
  /// A slice in the order of the module.
  struct Slice {
    std::size_t place = 0;   ///< in the layout's order
    std::int64_t first = 0;  ///< row of the matrix
  };

  const StreamedMatrix& matrix_of(const Slice& slice) const;
  Slice after(const Slice& slice) const;
  void seek(std::uint64_t index);
  void read_ahead();
  void put_x(const StreamedMatrix& matrix, const float* x, std::int64_t num_rows);
  cudaError_t put_product(const StreamedMatrix& matrix, const std::byte* stored,
                          std::int64_t slice_rows, std::int64_t num_rows);
  void take_slice(const StreamedMatrix& matrix, std::int64_t num_rows, std::size_t result);

  const StreamLayout& layout_;
  const WeightSource source_;
  std::vector<std::span<const std::byte>> stored_;  // by weight; empty unless covered
  Stream copies_;
  Stream products_;
  Stagings stagings_;
  Buffer tiles_;
  Buffer row_scales_;
  Buffer x_;
  Buffer blocks_;
  Buffer counts_;  // StepCounts, on the device
  Buffer result_;
  Buffer host_counts_;                             // pinned
  std::array<Buffer, kNumStagings> host_results_;  // pinned
  std::array<Event, kNumStagings> result_is_there_;
  Slice next_;   // to be multiplied
  Slice ahead_;  // to be read
  std::atomic<std::uint64_t> num_products_{0};
  std::atomic<std::uint64_t> weight_bytes_{0};
};

}  // namespace vernal::cuda_sm86
