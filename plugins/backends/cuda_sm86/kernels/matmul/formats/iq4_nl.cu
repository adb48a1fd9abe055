#include "kernels/matmul/formats/codecs_32.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kIq4NlKernels = quantised_kernels<Iq4Nl>(MatrixCodec::kIq4Nl);

}  // namespace vernal::cuda_sm86
