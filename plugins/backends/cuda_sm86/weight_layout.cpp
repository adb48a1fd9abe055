#include <algorithm>

#include "kernels/matmul/tile.hpp"
#include "operations/operation_table.hpp"
#include "shared/state/memory.hpp"
#include "shared/weights/weight_uses.hpp"
#include "weights.hpp"

namespace vernal::cuda_sm86 {

using backend::aligned_bytes;

std::int64_t rows_of_piece(std::int64_t row_bytes, std::int64_t bytes) {
  return std::max<std::int64_t>(bytes / row_bytes / kTileRows, 1) * kTileRows;
}

std::int64_t WeightLayout::Entry::row_bytes() const {
  if (is_converted()) return num_columns / format->block_columns * format->block_bytes;
  return static_cast<std::int64_t>(stored->row_bytes(static_cast<std::uint64_t>(num_columns)));
}

std::int64_t WeightLayout::Entry::padded_rows() const {
  return (num_rows + kTileRows - 1) / kTileRows * kTileRows;
}

std::int64_t WeightLayout::Entry::matrix_bytes() const {
  if (!format->kernels->is_quantised()) return aligned_bytes(num_rows * row_bytes());
  return aligned_bytes(padded_rows() / kTileRows * format->kernels->row_tile_bytes(num_columns));
}

WeightLayout::WeightLayout(const Module& module) {
  const std::vector<backend::WeightUses> uses =
      backend::find_weight_uses(module, [](const Node& node, std::size_t operand) {
        return find_operation(node.op)->weight_use(operand);
      });
  for (std::size_t i = 0; i < module.weights.size(); ++i) {
    const Weight& weight = module.weights[i];
    Entry entry;
    entry.stored = find_block_type(std::string_view(weight.format));
    entry.format = find_weight_format(weight.format);
    entry.num_columns = weight.shape.last();
    entry.num_matrices = uses[i].num_experts;
    entry.num_rows = weight.shape.num_rows() / entry.num_matrices;
    const std::int64_t before = device_bytes_;
    if (uses[i].is_multiplied) {
      entry.matrix_at = device_bytes_;
      device_bytes_ += entry.num_matrices * entry.matrix_bytes();
      if (entry.format->kernels->has_row_scales) {
        entry.row_scales_at = device_bytes_;
        device_bytes_ += aligned_bytes(entry.num_matrices * entry.padded_rows() * 4);
      }
      if (entry.is_converted()) {
        note_conversion(weight.name, entry.stored->name, device_bytes_ - before);
      }
      bytes_per_step_ += (device_bytes_ - before) / uses[i].num_experts * uses[i].num_used_experts;
    }
    if (uses[i].is_looked_up) {
      entry.table_at = host_bytes_;
      host_bytes_ += aligned_bytes(entry.all_rows() * entry.row_bytes());
    }
    if (uses[i].is_read_by_number) {
      entry.numbers_at = device_bytes_;
      const std::int64_t bytes = aligned_bytes(entry.all_rows() * entry.num_columns * 4);
      device_bytes_ += bytes;
      bytes_per_step_ += bytes;
    }
    entries_.push_back(entry);
  }
}

void WeightLayout::note_conversion(const std::string& name, std::string_view stored,
                                   std::int64_t bytes) {
  const std::string names = backend::name_pattern(name);
  for (Conversion& known : conversions_) {
    if (known.names == names && known.stored == stored) {
      known.bytes += bytes;
      return;
    }
  }
  conversions_.push_back({names, stored, bytes});
}

}  // namespace vernal::cuda_sm86
