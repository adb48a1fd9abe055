// Matrix kernels for AVX-512 with VNNI. Compiled with flags of its own (CMakeLists.txt).
#include "kernels/matmul/vnni/kernel_table.hpp"
#include "kernels/matmul/vnni/vector_512.hpp"

namespace vernal::cpu_avx2 {

std::span<const MatmulKernel> avx512_vnni_kernels() { return vnni::kKernels<Avx512Vnni>; }

}  // namespace vernal::cpu_avx2
