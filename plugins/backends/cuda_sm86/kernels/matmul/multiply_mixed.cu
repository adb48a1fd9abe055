// Products of up to 8 rows of x with matrices of several formats, in one launch.
#include "kernels/matmul/formats/codecs_256.hpp"
#include "kernels/matmul/formats/codecs_32.hpp"
#include "kernels/matmul/formats/codecs_forms.hpp"
#include "kernels/matmul/multiply_tiles.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// A block of threads has a tile of 16 rows of one matrix, so all of it takes the same branch.
__global__ void __launch_bounds__(kMostParts* kWarpSize, 2) multiply_mixed(Multiply m) {
  VERNAL_SHARED(SharedSums<1>, shared);
  const int number = product_number(m, static_cast<int>(blockIdx.x));
  const int64_t num_rows = m.rows.count();
  switch (m.products[number].codec) {
    case MatrixCodec::kNone:
      return;
    case MatrixCodec::kQ4_0:
      return multiply_rows<Q4_0, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kQ8_0:
      return multiply_rows<Q8_0, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kIq4Nl:
      return multiply_rows<Iq4Nl, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kQ4K:
      return multiply_rows<Q4K, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kQ5K:
      return multiply_rows<Q5K, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kQ6K:
      return multiply_rows<Q6K, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kIq4Xs:
      return multiply_rows<Iq4Xs, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kIq4Ks:
      return multiply_rows<Iq4Ks, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kEightBit:
      return multiply_rows<EightBit, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kAffine32:
      return multiply_rows<Affine32, 1, true>(m, number, 0, num_rows, shared);
    case MatrixCodec::kAffine256:
      return multiply_rows<Affine256, 1, true>(m, number, 0, num_rows, shared);
  }
}

}  // namespace

cudaError_t launch_multiply_mixed(const Multiply& multiply, const LaunchSize& size) {
  return launch(size.stream, static_cast<unsigned>(multiply.num_tiles), kMostParts * kWarpSize,
                multiply_mixed, multiply);
}

}  // namespace vernal::cuda_sm86
