#include "kernels/matmul/formats/codecs_forms.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kEightBitKernels = quantised_kernels<EightBit>();

}  // namespace vernal::cuda_sm86
