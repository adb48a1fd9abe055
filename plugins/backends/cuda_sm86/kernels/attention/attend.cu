#include "kernels/attention/attend_formats.hpp"

namespace vernal::cuda_sm86 {

cudaError_t launch_attend(const Attention& a, const LaunchSize& size) {
  switch (a.keys.format) {
    case RunFormat::kF16:
      return launch_attend_f16(a, size);
    case RunFormat::kQ8_0:
      return launch_attend_q8_0(a, size);
    case RunFormat::kQ4_0:
      break;
  }
  return launch_attend_q4_0(a, size);
}

}  // namespace vernal::cuda_sm86
