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
#include "shared/weights/weight_uses.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {

/// Which weights are copied into the order of the kernels when a program is built. The others stay in the
/// mapped model file, and a step that multiplies with them packs what it needs.
enum class Repack : std::uint8_t {
  kAuto,    ///< those that are multiplied; tables that are only looked up stay in the file
  kNever,   ///< none but those that no kernel multiplies as they are stored
  kAlways,  ///< all
};

/// What a backend's key `repack` means.
/// Errors  INVALID_ARGUMENT: no such name
Repack parse_repack(std::string_view name);

/// Where the weights of a module go. Made by the plan, followed by the build.
class WeightLayout {
 public:
  /// `set`: what the kernels of the matrices use; it changes no byte of the layout.
  WeightLayout(const Module& module, InstructionSet set, Repack repack);

  /// Of copies, in memory of the program.
  std::int64_t bytes() const { return bytes_; }
  /// Of weights that stay in the model file.
  std::int64_t bytes_in_place() const { return bytes_in_place_; }
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
    bool is_in_place = false;      ///< multiplied or looked up where the file is mapped

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
  void place_matrix(const Weight& weight, const backend::WeightUses& uses, Repack repack,
                    Entry& entry);
  void note_conversion(const std::string& name, std::string_view stored, std::int64_t bytes);

  std::vector<Entry> entries_;
  std::vector<Conversion> conversions_;
  std::int64_t bytes_ = 0;
  std::int64_t bytes_in_place_ = 0;
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

  /// expert: which of the weight's matrices. Its data is null if the weight is used in place.
  PackedMatrix matrix(std::uint32_t index, std::int64_t expert = 0) const;
  /// Packs groups [first, last) of a matrix that is used in place.
  ///   out  (last - first) * group_bytes() bytes
  void pack_groups(std::uint32_t index, std::int64_t expert, std::int64_t first, std::int64_t last,
                   std::byte* out) const;
  /// Row `row` of a table as floats: out[columns], the values of vernal::dequantize_row().
  ///   scratch  row_scratch_bytes() bytes
  void read_row(std::uint32_t index, std::int64_t row, std::byte* scratch, float* out) const;
  const float* numbers(std::uint32_t index) const;
  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  /// Fills what the layout has for an entry. `done(first, bytes)` is told of bytes that were read.
  template <class Done>
  void copy(const WeightLayout::Entry& entry, const std::byte* stored, Instance& instance,
            const Done& done);

  const std::vector<WeightLayout::Entry> entries_;
  std::vector<const std::byte*> stored_;  // by weight: where the file has it; null unless in place
  ReservedMemory memory_;
};

/// What read_row() needs of a table with these rows. `format`: an id that find_weight_format()
/// takes.
std::int64_t row_scratch_bytes(std::string_view format, std::int64_t num_columns);

}  // namespace vernal::cpu_avx2
