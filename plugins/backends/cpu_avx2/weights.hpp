// The weights of a program: matrices in packed form, tables that are only looked up as stored,
// everything else as f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "instance.hpp"
#include "kernels/matmul/packed_weights.hpp"
#include "reserved_memory.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {

/// Where the weights of a module go. Made by the plan, followed by the build.
class WeightLayout {
 public:
  /// `set`: what the kernels of the matrices use; it changes no byte of the layout.
  WeightLayout(const Module& module, InstructionSet set);

  std::int64_t bytes() const { return bytes_; }
  /// Bytes of the matrices that a decode step reads: all but tables that are only looked up.
  std::int64_t bytes_per_step() const { return bytes_per_step_; }

  struct Entry {
    const BlockType* stored = nullptr;     ///< of the file
    const WeightFormat* format = nullptr;  ///< of the packed matrix
    std::int64_t num_matrices = 1;         ///< experts, each packed by itself
    std::int64_t num_rows = 0;             ///< of a matrix
    std::int64_t num_columns = 0;
    std::int64_t matrix_at = -1;   ///< packed, if it is multiplied
    std::int64_t rows_at = -1;     ///< as stored, if it is looked up and not multiplied
    std::int64_t numbers_at = -1;  ///< f32 [rows * columns], if it is used element by element

    std::int64_t all_rows() const { return num_matrices * num_rows; }
    bool is_converted() const { return format->id != stored->id; }
  };
  const std::vector<Entry>& entries() const { return entries_; }

  /// Matrices that no kernel multiplies as they are stored, and that are packed in the 8-bit form
  /// instead: those of one format whose names differ in numbers alone.
  struct Conversion {
    std::string names;        ///< "blk.*.ffn_down.weight"
    std::string_view stored;  ///< "iq2_xs"
    std::int64_t bytes = 0;   ///< packed; part of bytes()
  };
  const std::vector<Conversion>& conversions() const { return conversions_; }

 private:
  void note_conversion(const std::string& name, std::string_view stored, std::int64_t bytes);

  std::vector<Entry> entries_;
  std::vector<Conversion> conversions_;
  std::int64_t bytes_ = 0;
  std::int64_t bytes_per_step_ = 0;
};

/// Loaded weights. Immutable, shared by all steps.
class Weights {
 public:
  /// Pulls and packs everything, on all threads of the instance, whose other programs run steps in
  /// between. Build thread.
  /// Errors  those of the source; CANCELLED by `progress`; RESOURCE_EXHAUSTED
  Weights(const WeightLayout& layout, const Module& module, const WeightSource& source,
          const Progress& progress, Instance& instance);

  /// As lock_memory().
  void lock(MemoryLock mode) const {
    lock_memory(memory_.data(), memory_.bytes(), mode, "weights");
  }

  /// expert: which of the weight's matrices.
  PackedMatrix matrix(std::uint32_t index, std::int64_t expert = 0) const;
  /// Row `row` of a table as floats: out[columns], the values of vernal::dequantize_row().
  ///   scratch  row_scratch_bytes() bytes
  void read_row(std::uint32_t index, std::int64_t row, std::byte* scratch, float* out) const;
  const float* numbers(std::uint32_t index) const;
  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  const std::vector<WeightLayout::Entry> entries_;
  ReservedMemory memory_;
};

/// What read_row() needs of a table with these rows. `format`: an id that find_weight_format()
/// takes.
std::int64_t row_scratch_bytes(std::string_view format, std::int64_t num_columns);

}  // namespace vernal::cpu_avx2
