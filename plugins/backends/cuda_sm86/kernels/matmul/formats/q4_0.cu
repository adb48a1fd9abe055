#include "kernels/matmul/formats/codecs_32.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kQ4_0Kernels = quantised_kernels<Q4_0>(MatrixCodec::kQ4_0);

}  // namespace vernal::cuda_sm86
