#include "kernels/matmul/formats/codecs_32.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kQ8_0Kernels = quantised_kernels<Q8_0>(MatrixCodec::kQ8_0);

}  // namespace vernal::cuda_sm86
