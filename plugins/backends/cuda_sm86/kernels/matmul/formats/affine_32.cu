#include "kernels/matmul/formats/codecs_forms.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kAffine32Kernels = quantised_kernels<Affine32>(MatrixCodec::kAffine32);

}  // namespace vernal::cuda_sm86
