// Asks the driver's own library, which may not be there. Names and numbers are those of the CUDA
// driver API.
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <array>
#include <cstddef>

#include "device/device.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr const char* kLibrary = "libcuda.so.1";
constexpr int kNoDevice = 100;              // CUDA_ERROR_NO_DEVICE
constexpr int kNotFound = 500;              // CUDA_ERROR_NOT_FOUND
constexpr int kSystemDriverMismatch = 803;  // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
constexpr int kMultiprocessors = 16;        // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

/// A library that stays open until the process ends.
class Library {
 public:
  Library() : handle_(dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) problem_ = dlerror();
  }
  const std::string& problem() const { return problem_; }

  /// Calls a function with these arguments. It answers a number, 0 if all is well.
  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    auto* const function = reinterpret_cast<int (*)(Arguments...)>(dlsym(handle_, name));
    return function == nullptr ? kNotFound : function(arguments...);
  }

  /// What the driver says of a number; may be empty.
  std::string text_of(int error) const {
    const char* text = nullptr;
    if (call("cuGetErrorString", error, &text) != 0 || text == nullptr) return {};
    return text;
  }

 private:
  void* handle_;
  std::string problem_;
};

const Library& library() {
  static const Library kDriver;
  return kDriver;
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

DriverState fail(std::string problem) { return {std::move(problem), {}}; }

/// The driver does not start, or does not answer.
DriverState fail(int error) {
  if (error == kNoDevice) {
    return fail(
        "the NVIDIA driver finds no device; nvidia-smi lists those of the machine, and "
        "CUDA_VISIBLE_DEVICES hides those that it does not name");
  }
  const std::string text = library().text_of(error);
  std::string out = "the NVIDIA driver does not work: it answers " + std::to_string(error) +
                    (text.empty() ? "" : ", " + text);
  if (error == kSystemDriverMismatch) {
    out += "; after an update of the driver the machine has to be started anew";
  }
  return fail(std::move(out));
}

DriverState list_devices() {
  int count = 0;
  if (const int error = library().call("cuDeviceGetCount", &count); error != 0) return fail(error);
  if (count == 0) return fail(kNoDevice);
  DriverState out;
  for (int i = 0; i < count; ++i) {
    std::array<char, 256> name{};
    DeviceDescription device;
    const int size = static_cast<int>(name.size()) - 1;
    for (const int error :
         {library().call("cuDeviceGetName", name.data(), size, i),
          library().call("cuDeviceGetAttribute", &device.capability_major, kCapabilityMajor, i),
          library().call("cuDeviceGetAttribute", &device.capability_minor, kCapabilityMinor, i),
          library().call("cuDeviceGetAttribute", &device.num_multiprocessors, kMultiprocessors,
                         i)}) {
      if (error != 0) return fail(error);
    }
    device.name = name.data();
    out.devices.push_back(std::move(device));
  }
  return out;
}

DriverState ask_driver() {
  if (!library().problem().empty()) {
    return fail("there is no NVIDIA driver (" + library().problem() + "); install driver " +
                VERNAL_LEAST_DRIVER " or newer, or hand the device to the container");
  }
  int version = 0;
  if (const int error = library().call("cuDriverGetVersion", &version); error != 0) {
    return fail(error);
  }
  if (version / 1000 < CUDART_VERSION / 1000) {
    return fail("the NVIDIA driver is too old: it supports CUDA " + version_text(version) +
                ", this plugin was built with CUDA " + version_text(CUDART_VERSION) +
                " and needs driver " VERNAL_LEAST_DRIVER " or newer");
  }
  if (const int error = library().call("cuInit", 0U); error != 0) return fail(error);
  return list_devices();
}

}  // namespace

const DriverState& driver_state() {
  static const DriverState kState = ask_driver();
  return kState;
}

OpenedDevice open_device(int device) {
  OpenedDevice out;
  void* context = nullptr;
  out.error = library().call("cuDevicePrimaryCtxRetain", &context, device);
  if (out.error == 0) {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    void* popped = nullptr;
    out.error = library().call("cuCtxPushCurrent_v2", context);
    if (out.error == 0) {
      out.error = library().call("cuMemGetInfo_v2", &free_bytes, &total_bytes);
      static_cast<void>(library().call("cuCtxPopCurrent_v2", &popped));
    }
    out.free_bytes = free_bytes;
    out.total_bytes = total_bytes;
    static_cast<void>(library().call("cuDevicePrimaryCtxRelease_v2", device));
  }
  if (out.error != 0) out.error_text = library().text_of(out.error);
  return out;
}

}  // namespace vernal::cuda_sm86
