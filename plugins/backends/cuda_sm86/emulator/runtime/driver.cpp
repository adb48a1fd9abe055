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
      out.devices.push_back(
          {properties.name, properties.major, properties.minor, properties.multiProcessorCount});
    }
    if (out.problem.empty() && out.devices.empty()) out.problem = "there is no emulated device";
    return out;
  }();
  return kState;
}

OpenedDevice open_device(int device) {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &total_bytes);
  if (error != cudaSuccess) return {static_cast<int>(error), cudaGetErrorString(error)};
  return {0, {}, total_bytes, free_bytes};
}

}  // namespace vernal::cuda_sm86
