#include "kernels/attention/attend_formats.hpp"

namespace vernal::cuda_sm86 {

cudaError_t launch_attend_q8_0(const Attention& attention, const LaunchSize& size) {
  return launch_keys<KeysQ8_0>(attention, size);
}

}  // namespace vernal::cuda_sm86
