// Asks the driver's own library, which may not be there. Names and numbers are those of the CUDA
// driver API.
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <array>

#include "device/device.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kNoDevice = 100;  // CUDA_ERROR_NO_DEVICE
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

/// A function of the driver, or null.
template <class Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string missing(const char* name) {
  return "the NVIDIA driver lacks the function " + std::string(name);
}

DriverState fail(std::string problem) { return {std::move(problem), {}}; }

DriverState list_devices(void* library) {
  auto* const count_of = find<int(int*)>(library, "cuDeviceGetCount");
  auto* const name_of = find<int(char*, int, int)>(library, "cuDeviceGetName");
  auto* const attribute_of = find<int(int*, int, int)>(library, "cuDeviceGetAttribute");
  if (count_of == nullptr) return fail(missing("cuDeviceGetCount"));
  if (name_of == nullptr) return fail(missing("cuDeviceGetName"));
  if (attribute_of == nullptr) return fail(missing("cuDeviceGetAttribute"));
  int count = 0;
  if (count_of(&count) != 0 || count == 0) return fail("the NVIDIA driver finds no device");
  DriverState out;
  for (int i = 0; i < count; ++i) {
    std::array<char, 256> name{};
    DeviceDescription device;
    if (name_of(name.data(), static_cast<int>(name.size()) - 1, i) == 0) device.name = name.data();
    static_cast<void>(attribute_of(&device.capability_major, kCapabilityMajor, i));
    static_cast<void>(attribute_of(&device.capability_minor, kCapabilityMinor, i));
    out.devices.push_back(std::move(device));
  }
  return out;
}

DriverState ask_driver() {
  void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail("the NVIDIA driver is not installed (" + std::string(dlerror()) + ")");
  }
  auto* const version_of = find<int(int*)>(library, "cuDriverGetVersion");
  auto* const init = find<int(unsigned)>(library, "cuInit");
  if (version_of == nullptr) return fail(missing("cuDriverGetVersion"));
  if (init == nullptr) return fail(missing("cuInit"));
  int version = 0;
  if (version_of(&version) == 0 && version / 1000 < CUDART_VERSION / 1000) {
    return fail("the NVIDIA driver is too old: it supports CUDA " + version_text(version) +
                ", this plugin was built with CUDA " + version_text(CUDART_VERSION) +
                " and needs driver " VERNAL_LEAST_DRIVER " or newer");
  }
  const int status = init(0);
  if (status == kNoDevice) return fail("the NVIDIA driver finds no device");
  if (status != 0) return fail("the NVIDIA driver does not start: error " + std::to_string(status));
  return list_devices(library);
}

}  // namespace

const DriverState& driver_state() {
  static const DriverState kState = ask_driver();
  return kState;
}

}  // namespace vernal::cuda_sm86
