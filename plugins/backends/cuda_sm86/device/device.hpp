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
  int num_multiprocessors = 0;
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

/// What the driver answers when a device is opened.
struct OpenedDevice {
  int error = 0;           ///< a number of the CUDA driver (CUresult); 0: it is usable
  std::string error_text;  ///< of the driver, may be empty
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};

/// Opens a device that driver_state() lists, asks for its memory, and closes it. Any thread.
OpenedDevice open_device(int device);

/// Why a device, by its number, cannot be used now, in one sentence; else its memory.
struct DeviceReport {
  std::string problem;  ///< empty if it can be used
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};
DeviceReport examine_device(int device);

/// Why no device of this machine can be used, in one sentence; empty if one can.
std::string machine_problem();

}  // namespace vernal::cuda_sm86
