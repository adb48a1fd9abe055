#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kQ5KKernels = quantised_kernels<Q5K>(MatrixCodec::kQ5K);

}  // namespace vernal::cuda_sm86
