#include "kernels/matmul/formats/codecs_forms.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kEightBitKernels = quantised_kernels<EightBit>(MatrixCodec::kEightBit);

}  // namespace vernal::cuda_sm86
