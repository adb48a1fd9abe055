#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/repack.hpp"

namespace vernal::cuda_sm86 {

const MatrixKernels kIq4KsKernels = quantised_kernels<Iq4Ks>(MatrixCodec::kIq4Ks);

}  // namespace vernal::cuda_sm86
