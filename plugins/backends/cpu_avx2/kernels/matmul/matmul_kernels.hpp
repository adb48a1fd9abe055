// Which function multiplies a format, by instruction set.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vernal::cpu_avx2 {

struct Matmul;

/// matmul_groups() of one format.
using MatmulGroups = void(const Matmul& matmul, std::int64_t first, std::int64_t last);

struct MatmulKernel {
  std::string_view format;  ///< its id in the tables of weight_format.hpp
  MatmulGroups* multiply;
};

/// The formats that have a kernel for the instruction set; the others use that of AVX2, which each
/// row of the tables names. To be run where the set is available.
std::span<const MatmulKernel> avx_vnni_kernels();
std::span<const MatmulKernel> avx512_vnni_kernels();

}  // namespace vernal::cpu_avx2
