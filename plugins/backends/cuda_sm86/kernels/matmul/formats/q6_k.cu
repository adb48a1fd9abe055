#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kQ6KKernels = quantised_kernels<Q6K>(MatrixCodec::kQ6K);

}  // namespace vernal::cuda_sm86
