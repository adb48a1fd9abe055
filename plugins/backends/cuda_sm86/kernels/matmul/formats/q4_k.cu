#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kQ4KKernels = quantised_kernels<Q4K>(MatrixCodec::kQ4K);

}  // namespace vernal::cuda_sm86
