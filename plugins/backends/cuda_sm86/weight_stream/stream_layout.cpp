#include "weight_stream/stream_layout.hpp"

#include <algorithm>

#include "device/stagings.hpp"
#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/matmul/tile.hpp"
#include "vernal/block_types.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// A grid has no more blocks in its second dimension.
constexpr std::uint64_t kMostRows = 65535;

std::int64_t checked_rows(std::uint64_t most_rows) {
  if (most_rows == 0) throw Error(VERNAL_INVALID_ARGUMENT, "weight stream: most_rows is 0");
  if (most_rows <= kMostRows) return static_cast<std::int64_t>(most_rows);
  throw Error(VERNAL_UNSUPPORTED, "weight stream: at most " + std::to_string(kMostRows) +
                                      " rows of a product, found " + std::to_string(most_rows));
}

void raise_to(std::int64_t& most, std::int64_t value) { most = std::max(most, value); }

}  // namespace

StreamLayout::StreamLayout(const Module& module, std::uint64_t most_rows, std::int64_t slice_bytes)
    : most_rows_(checked_rows(most_rows)), matrices_(module.weights.size()) {
  for (const Function& function : module.functions) {
    if (function.name != "main") continue;
    for (const Node& node : function.nodes) {
      const vernal_operand weight = node.operand(1);
      if (node.op != "vernal.linear/1" || weight.kind != VERNAL_OPERAND_WEIGHT) continue;
      if (!covers(weight.index)) add(weight.index, module.weights[weight.index], slice_bytes);
      if (covers(weight.index)) order_.push_back(weight.index);
    }
  }
}

void StreamLayout::add(std::uint64_t index, const Weight& weight, std::int64_t slice_bytes) {
  const BlockType* const stored = find_block_type(std::string_view(weight.format));
  const WeightFormat* const format = find_weight_format(weight.format);
  if (stored == nullptr || format == nullptr || format->is_form() || weight.shape.rank != 2) return;
  StreamedMatrix matrix;
  matrix.format = format;
  matrix.num_rows = weight.shape[0];
  matrix.num_columns = weight.shape[1];
  matrix.row_bytes =
      static_cast<std::int64_t>(stored->row_bytes(static_cast<std::uint64_t>(matrix.num_columns)));
  if (kTileRows * matrix.row_bytes > kStagingBytes) return;
  const std::int64_t padded = (matrix.num_rows + kTileRows - 1) / kTileRows * kTileRows;
  matrix.slice_rows = std::min({padded, rows_of_piece(matrix.row_bytes, slice_bytes),
                                rows_of_piece(most_rows_ * 4, slice_bytes)});
  raise_to(staging_bytes_, matrix.rows_from(0) * matrix.row_bytes);
  raise_to(x_bytes_, most_rows_ * matrix.num_columns * 4);
  raise_to(result_bytes_, most_rows_ * matrix.rows_from(0) * 4);
  if (const MatrixKernels& kernels = *format->kernels; kernels.is_quantised()) {
    raise_to(tile_bytes_,
             matrix.slice_rows / kTileRows * kernels.row_tile_bytes(matrix.num_columns));
    raise_to(block_bytes_, activation_bytes(most_rows_, matrix.num_columns));
    if (kernels.has_row_scales) raise_to(row_scale_bytes_, matrix.slice_rows * 4);
  }
  matrices_[index] = matrix;
}

const StreamedMatrix& StreamLayout::matrix(std::uint64_t index) const {
  if (covers(index)) return *matrices_[index];
  throw Error(VERNAL_INVALID_ARGUMENT,
              "weight stream: weight " + std::to_string(index) + " is not covered");
}

std::int64_t StreamLayout::device_bytes() const {
  if (order_.empty()) return 0;
  return kNumStagings * staging_bytes_ + tile_bytes_ + row_scale_bytes_ + x_bytes_ + block_bytes_ +
         result_bytes_ + static_cast<std::int64_t>(sizeof(StepCounts));
}

std::int64_t StreamLayout::pinned_bytes() const {
  if (order_.empty()) return 0;
  return kNumStagings * (staging_bytes_ + result_bytes_) +
         static_cast<std::int64_t>(sizeof(StepCounts));
}

std::vector<MemoryRow> stream_rows(std::int64_t device_bytes, std::int64_t pinned_bytes,
                                   const std::string& device) {
  if (device_bytes == 0 && pinned_bytes == 0) return {};
  const auto row = [](const std::string& place, std::uint32_t category, std::int64_t bytes) {
    const auto size = static_cast<std::uint64_t>(bytes);
    return MemoryRow{"weight stream", place, category, size, size};
  };
  return {row(device, VERNAL_MEMORY_WORKSPACE, device_bytes),
          row("cpu", VERNAL_MEMORY_PINNED_HOST, pinned_bytes)};
}

}  // namespace vernal::cuda_sm86
