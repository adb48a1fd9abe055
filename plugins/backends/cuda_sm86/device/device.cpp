#include "device/device.hpp"

namespace vernal::cuda_sm86 {

namespace {

// Answers of the CUDA driver when a device is opened.
constexpr int kOutOfMemory = 2;         // CUDA_ERROR_OUT_OF_MEMORY
constexpr int kDeviceUnavailable = 46;  // CUDA_ERROR_DEVICE_UNAVAILABLE

std::string refusal_of(const OpenedDevice& opened) {
  switch (opened.error) {
    case kOutOfMemory:
      return "has no memory left for another process; nvidia-smi shows which ones hold it";
    case kDeviceUnavailable:
      return "is in use by another process and takes one at a time (compute mode); nvidia-smi "
             "shows "
             "which";
    default:
      return "cannot be opened: the driver answers " + std::to_string(opened.error) +
             (opened.error_text.empty() ? "" : ", " + opened.error_text);
  }
}

/// Why a device cannot be used that the driver does not even have to open; else empty.
std::string listed_problem(const DriverState& driver, int device) {
  if (!driver.problem.empty()) return driver.problem;
  const auto count = static_cast<int>(driver.devices.size());
  const std::string number = "device " + std::to_string(device);
  if (device < 0 || device >= count) {
    return number + " does not exist: the driver finds " +
           (count == 1
                ? "1 device, number 0"
                : std::to_string(count) + " devices, numbers 0 to " + std::to_string(count - 1));
  }
  const DeviceDescription& found = driver.devices[static_cast<std::size_t>(device)];
  if (found.capability_major * 10 + found.capability_minor >= kLeastCapability) return {};
  return number + " (" + found.name + ") has compute capability " +
         std::to_string(found.capability_major) + "." + std::to_string(found.capability_minor) +
         ", 8.6 or newer is needed: Ampere for desktops and workstations, or later";
}

}  // namespace

DeviceReport examine_device(int device) {
  const DriverState& driver = driver_state();
  DeviceReport out{listed_problem(driver, device)};
  if (!out.problem.empty()) return out;
  const OpenedDevice opened = open_device(device);
  if (opened.error != 0) {
    out.problem = "device " + std::to_string(device) + " (" +
                  driver.devices[static_cast<std::size_t>(device)].name + ") " + refusal_of(opened);
  }
  out.total_bytes = opened.total_bytes;
  out.free_bytes = opened.free_bytes;
  return out;
}

std::string machine_problem() {
  const DriverState& driver = driver_state();
  if (!driver.problem.empty()) return driver.problem;
  std::string problems;
  for (int i = 0; i < static_cast<int>(driver.devices.size()); ++i) {
    const std::string problem = examine_device(i).problem;
    if (problem.empty()) return {};
    problems += (problems.empty() ? "" : "; ") + problem;
  }
  return problems;
}

}  // namespace vernal::cuda_sm86
