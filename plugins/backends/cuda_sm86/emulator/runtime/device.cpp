// The runtime's functions about the device, and the texts of errors.

#include <algorithm>
#include <array>
#include <cstring>

#include "emulator/device.hpp"
#include "emulator/include/cuda_runtime_api.h"
#include "emulator/memory/shared_memory.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr int kVersion = 13000;  // of driver and runtime
constexpr char kDeviceName[] = "emulated sm_86";
// Those of an RTX A4000, so that programs that plan by them plan as they would there.
constexpr int kMultiprocessors = 48;
constexpr int kClockKhz = 1560000;
constexpr int kMemoryClockKhz = 7001000;
constexpr int kMemoryBusBits = 256;
constexpr int kL2Bytes = 4 << 20;
constexpr int kSharedBytesOptin = 99 * 1024;
constexpr int kSharedBytesOfMultiprocessor = 100 * 1024;

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* text;
};

constexpr std::array kErrorTexts = {
    ErrorText{cudaSuccess, "cudaSuccess", "no error"},
    ErrorText{cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    ErrorText{cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    ErrorText{cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    ErrorText{cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
              "invalid configuration argument"},
    ErrorText{cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection",
              "invalid copy direction for memcpy"},
    ErrorText{cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
              "CUDA driver version is insufficient for CUDA runtime version"},
    ErrorText{cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction",
              "invalid device function"},
    ErrorText{cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    ErrorText{cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    ErrorText{cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
              "no kernel image is available for execution on the device"},
    ErrorText{cudaErrorUnsupportedPtxVersion, "cudaErrorUnsupportedPtxVersion",
              "the provided PTX was compiled with an unsupported toolchain."},
    ErrorText{cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle",
              "invalid resource handle"},
    ErrorText{cudaErrorIllegalState, "cudaErrorIllegalState",
              "the operation cannot be performed in the present state"},
    ErrorText{cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    ErrorText{cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
              "an illegal memory access was encountered"},
    ErrorText{cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources",
              "too many resources requested for launch"},
    ErrorText{cudaErrorMisalignedAddress, "cudaErrorMisalignedAddress", "misaligned address"},
    ErrorText{cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    ErrorText{cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    ErrorText{cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
              "operation not permitted when stream is capturing"},
    ErrorText{cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
              "operation failed due to a previous error during capture"},
    ErrorText{cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
              "capture was not ended in the same stream as it began"},
    ErrorText{cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
              "dependency created on uncaptured work in another stream"},
    ErrorText{cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
              "operation would make the legacy stream depend on a capturing blocking stream"},
    ErrorText{cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
              "operation not permitted on an event last recorded in a capturing stream"},
    ErrorText{cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
              "attempt to terminate a thread-local capture sequence from another thread"},
    ErrorText{cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

const ErrorText* text_of_error(cudaError_t error) {
  const auto* const found =
      std::find_if(kErrorTexts.begin(), kErrorTexts.end(),
                   [&](const ErrorText& text) { return text.error == error; });
  return found == kErrorTexts.end() ? nullptr : found;
}

// The value of an attribute; -1 if the emulator does not know it.
int value_of(cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      return static_cast<int>(kMostThreads);
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return static_cast<int>(SharedMemory::kMostBytes);
    case cudaDevAttrWarpSize:
      return static_cast<int>(kLanes);
    case cudaDevAttrClockRate:
      return kClockKhz;
    case cudaDevAttrMultiProcessorCount:
      return kMultiprocessors;
    case cudaDevAttrIntegrated:
      return 0;
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrUnifiedAddressing:
      return 1;
    case cudaDevAttrMemoryClockRate:
      return kMemoryClockKhz;
    case cudaDevAttrGlobalMemoryBusWidth:
      return kMemoryBusBits;
    case cudaDevAttrL2CacheSize:
      return kL2Bytes;
    case cudaDevAttrComputeCapabilityMajor:
      return 8;
    case cudaDevAttrComputeCapabilityMinor:
      return 6;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return kSharedBytesOfMultiprocessor;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return kSharedBytesOptin;
  }
  return -1;
}

}  // namespace

// A function of the C language is the same in each namespace.
extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  return answer([&](const Device& shared) {
    *count = shared.settings.num_devices;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int number) {
  return answer([&](const Device&) { return number == 0 ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaGetDevice(int* number) {
  return answer([&](const Device&) {
    *number = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int number) {
  return answer([&](const Device& shared) {
    if (number != 0) {
      return cudaErrorInvalidDevice;
    }
    *prop = {};
    std::memcpy(prop->name, kDeviceName, sizeof kDeviceName);
    prop->totalGlobalMem = shared.settings.memory_bytes;
    prop->sharedMemPerBlock = SharedMemory::kMostBytes;
    prop->warpSize = static_cast<int>(kLanes);
    prop->maxThreadsPerBlock = static_cast<int>(kMostThreads);
    prop->major = 8;
    prop->minor = 6;
    prop->multiProcessorCount = kMultiprocessors;
    prop->canMapHostMemory = 1;
    prop->unifiedAddressing = 1;
    prop->memoryBusWidth = kMemoryBusBits;
    prop->l2CacheSize = kL2Bytes;
    prop->sharedMemPerMultiprocessor = kSharedBytesOfMultiprocessor;
    prop->sharedMemPerBlockOptin = kSharedBytesOptin;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attr, int number) {
  return answer([&](const Device&) {
    if (number != 0) {
      return cudaErrorInvalidDevice;
    }
    *value = value_of(attr);
    return *value < 0 ? cudaErrorInvalidValue : cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* func, cudaFuncAttribute attr, int value) {
  return answer([&](const Device&) {
    const bool is_too_much =
        attr == cudaFuncAttributeMaxDynamicSharedMemorySize && value > kSharedBytesOptin;
    return func == nullptr || is_too_much ? cudaErrorInvalidValue : cudaSuccess;
  });
}

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* const text = text_of_error(error);
  return text != nullptr ? text->name : "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* const text = text_of_error(error);
  return text != nullptr ? text->text : "unrecognized error code";
}

}  // extern "C"

}  // namespace vernal::cuda_sm86::emulator
