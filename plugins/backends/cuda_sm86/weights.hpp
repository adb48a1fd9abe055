// The weights of a program: matrices on the device as tiles, tables that are only looked up in
// pinned host memory as stored, everything else on the device as f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "device/memory.hpp"
#include "device/stream.hpp"
#include "vernal/backend_plugin.hpp"
#include "weight_format.hpp"

namespace vernal::cuda_sm86 {

/// Where the weights of a module go. Made by the plan, followed by the build.
class WeightLayout {
 public:
  explicit WeightLayout(const Module& module);

  std::int64_t device_bytes() const { return device_bytes_; }
  std::int64_t host_bytes() const { return host_bytes_; }
  /// Bytes of weights that a decode step reads on the device.
  std::int64_t bytes_per_step() const { return bytes_per_step_; }

  struct Entry {
    const BlockType* stored = nullptr;     ///< of the file
    const WeightFormat* format = nullptr;  ///< as it is multiplied or looked up
    std::int64_t num_matrices = 1;         ///< experts, each in tiles of its own
    std::int64_t num_rows = 0;             ///< of a matrix
    std::int64_t num_columns = 0;
    std::int64_t matrix_at = -1;      ///< device, if it is multiplied
    std::int64_t row_scales_at = -1;  ///< device, behind the matrix, if the format has them
    std::int64_t table_at = -1;       ///< host, if it is looked up
    std::int64_t numbers_at = -1;     ///< device, f32, if it is used element by element

    std::int64_t all_rows() const { return num_matrices * num_rows; }
    bool is_converted() const { return format->is_form(); }
    /// Bytes of a row that kernels read: of the file, or of the form it is converted into.
    std::int64_t row_bytes() const;
    /// Rows of a matrix, whole tiles.
    std::int64_t padded_rows() const;
    /// Bytes of one matrix on the device.
    std::int64_t matrix_bytes() const;
  };
  const std::vector<Entry>& entries() const { return entries_; }

  /// Matrices that are converted: those of one format whose names differ in numbers alone.
  struct Conversion {
    std::string names;        ///< "blk.*.ffn_down.weight"
    std::string_view stored;  ///< "iq2_xs"
    std::int64_t bytes = 0;   ///< part of device_bytes()
  };
  const std::vector<Conversion>& conversions() const { return conversions_; }

 private:
  void note_conversion(const std::string& name, std::string_view stored, std::int64_t bytes);

  std::vector<Entry> entries_;
  std::vector<Conversion> conversions_;
  std::int64_t device_bytes_ = 0;
  std::int64_t host_bytes_ = 0;
  std::int64_t bytes_per_step_ = 0;
};

/// Device memory that a piece of a weight passes through on its way (device/stagings.hpp).
inline constexpr std::int64_t kStagingBytes = std::int64_t{16} << 20;

/// Rows that fit into so many bytes: whole tiles, at least one.
std::int64_t rows_of_piece(std::int64_t row_bytes, std::int64_t bytes);

/// Loaded weights. Immutable, shared by all steps.
class Weights {
 public:
  /// Pulls everything and makes tiles on the device. Build thread.
  /// Errors  those of the source; CANCELLED by `progress`; RESOURCE_EXHAUSTED
  Weights(const WeightLayout& layout, const Module& module, const WeightSource& source,
          const Progress& progress, const Stream& stream);

  const WeightFormat& format(std::uint32_t index) const { return *entries_[index].format; }
  /// expert: which of the weight's matrices.
  DeviceMatrix matrix(std::uint32_t index, std::int64_t expert = 0) const;
  /// From one expert to the next: bytes of a matrix, numbers of its row scales.
  std::int64_t matrix_bytes(std::uint32_t index) const { return entries_[index].matrix_bytes(); }
  std::int64_t row_scale_stride(std::uint32_t index) const { return entries_[index].padded_rows(); }
  /// The table as embed kernels read it, and the bytes of a row.
  const unsigned char* table(std::uint32_t index) const;
  std::int64_t table_row_bytes(std::uint32_t index) const { return entries_[index].row_bytes(); }
  /// Device memory; null for index -1.
  const float* numbers(std::int64_t index) const;

  std::int64_t device_bytes() const { return device_.bytes(); }
  std::int64_t host_bytes() const { return host_.bytes(); }

 private:
  const std::vector<WeightLayout::Entry> entries_;
  Buffer device_;
  Buffer host_;
};

}  // namespace vernal::cuda_sm86
