// The emulated device needs no driver.
#include <cuda_runtime_api.h>

#include "device/device.hpp"

namespace vernal::cuda_sm86 {

const DriverState& driver_state() {
  static const DriverState kState = [] {
    DriverState out;
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess) out.problem = "the emulated device is unusable";
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp properties{};
      if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) continue;
      out.devices.push_back({properties.name, properties.major, properties.minor});
    }
    return out;
  }();
  return kState;
}

}  // namespace vernal::cuda_sm86
