#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kIq4XsKernels = quantised_kernels<Iq4Xs>(MatrixCodec::kIq4Xs);

}  // namespace vernal::cuda_sm86
