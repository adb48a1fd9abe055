#include "device/device.hpp"

#include <cuda_runtime_api.h>

namespace vernal::cuda_sm86 {

std::string device_problem(int device) {
  const DriverState& driver = driver_state();
  if (!driver.problem.empty()) return driver.problem;
  const auto count = static_cast<int>(driver.devices.size());
  const std::string number = "device " + std::to_string(device);
  if (device < 0 || device >= count) {
    return number + " does not exist: the driver finds " + std::to_string(count) +
           (count == 1 ? " device, number 0" : " devices, counted from 0");
  }
  const DeviceDescription& found = driver.devices[static_cast<std::size_t>(device)];
  if (found.capability_major * 10 + found.capability_minor < kLeastCapability) {
    return number + " (" + found.name + ") has compute capability " +
           std::to_string(found.capability_major) + "." + std::to_string(found.capability_minor) +
           "; this plugin needs 8.6 or newer";
  }
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &total_bytes);
  if (error == cudaSuccess) return {};
  return number + " (" + found.name +
         ") is in use by another process or has no free memory: " + cudaGetErrorName(error) + ", " +
         cudaGetErrorString(error);
}

DeviceMemoryInfo device_memory(int device) {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  if (cudaSetDevice(device) != cudaSuccess) return {};
  if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) return {};
  return {total_bytes, free_bytes};
}

}  // namespace vernal::cuda_sm86
