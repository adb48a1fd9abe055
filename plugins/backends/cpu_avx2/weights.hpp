// The weights of a program: matrices in packed form, everything else as f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/packed_weights.hpp"
#include "reserved_memory.hpp"
#include "thread_pool.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {

/// Where the weights of a module go. Made by the plan, followed by the build.
class WeightLayout {
 public:
  explicit WeightLayout(const Module& module);

  std::int64_t bytes() const { return bytes_; }
  /// Bytes of the matrices that a decode step reads: all but tables that are only looked up.
  std::int64_t bytes_per_step() const { return bytes_per_step_; }

  struct Entry {
    WeightFormat format = WeightFormat::kF32;
    std::int64_t num_matrices = 1;  ///< experts, each packed by itself
    std::int64_t num_rows = 0;      ///< of a matrix
    std::int64_t num_columns = 0;
    std::int64_t matrix_at = -1;   ///< packed, if it is multiplied or looked up
    std::int64_t numbers_at = -1;  ///< f32 [rows * columns], if it is used element by element

    std::int64_t all_rows() const { return num_matrices * num_rows; }
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::int64_t bytes_ = 0;
  std::int64_t bytes_per_step_ = 0;
};

/// Loaded weights. Immutable, shared by all steps.
class Weights {
 public:
  /// Pulls and packs everything, on all threads of `pool`. Build thread.
  /// Errors  those of the source; CANCELLED by `progress`; RESOURCE_EXHAUSTED
  Weights(const WeightLayout& layout, const Module& module, const WeightSource& source,
          const Progress& progress, ThreadPool& pool);

  /// expert: which of the weight's matrices.
  PackedMatrix matrix(std::uint32_t index, std::int64_t expert = 0) const;
  const float* numbers(std::uint32_t index) const;
  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  const std::vector<WeightLayout::Entry> entries_;
  ReservedMemory memory_;
};

}  // namespace vernal::cpu_avx2
