// Which devices there are, and why one cannot be used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernal::cuda_sm86 {

/// The least compute capability, times ten.
inline constexpr int kLeastCapability = 86;

/// A device of the machine.
struct DeviceDescription {
  std::string name;  ///< "NVIDIA RTX A4000"
  int capability_major = 0;
  int capability_minor = 0;
};

/// What the driver says, before the runtime is asked for anything: the runtime's own errors do not
/// tell a driver that is missing from one that is too old.
struct DriverState {
  /// Why no device can be used, in one sentence; empty if the driver works and finds a device.
  std::string problem;
  std::vector<DeviceDescription> devices;
};

/// Loads the driver and asks it, once in the life of the process. Any thread.
const DriverState& driver_state();

/// Why a device, by its number, cannot be used, in one sentence; empty if it can.
std::string device_problem(int device);

/// Memory of a usable device, in bytes. Zero if it cannot be asked.
struct DeviceMemoryInfo {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};
DeviceMemoryInfo device_memory(int device);

}  // namespace vernal::cuda_sm86
