#include "kernels/matmul/formats/codecs_forms.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kAffine256Kernels = quantised_kernels<Affine256>(MatrixCodec::kAffine256);

}  // namespace vernal::cuda_sm86
