#include "kernels/attention/attend_formats.hpp"

namespace vernal::cuda_sm86 {

cudaError_t launch_attend_f16(const Attention& attention, const LaunchSize& size) {
  return launch_keys<KeysF16>(attention, size);
}

}  // namespace vernal::cuda_sm86
