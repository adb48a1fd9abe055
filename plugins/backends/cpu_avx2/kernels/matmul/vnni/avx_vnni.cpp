// Matrix kernels for AVX-VNNI. Compiled with flags of its own (CMakeLists.txt).
#include "kernels/matmul/vnni/kernel_table.hpp"
#include "kernels/matmul/vnni/vector_256.hpp"

namespace vernal::cpu_avx2 {

std::span<const MatmulKernel> avx_vnni_kernels() { return vnni::kKernels<AvxVnni>; }

}  // namespace vernal::cpu_avx2
