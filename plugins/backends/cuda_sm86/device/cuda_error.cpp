#include "device/cuda_error.hpp"

namespace vernal::cuda_sm86 {

namespace {

std::int32_t status_of(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return VERNAL_RESOURCE_EXHAUSTED;
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorMisalignedAddress:
    case cudaErrorUnknown:
      return VERNAL_DEVICE_LOST;
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorNoKernelImageForDevice:
      return VERNAL_UNAVAILABLE;
    default:
      return VERNAL_INTERNAL;
  }
}

/// What helps against errors that the operator can mend.
std::string_view advice_for(cudaError_t error) {
  switch (error) {
    case cudaErrorUnsupportedPtxVersion:
      return "; the driver is older than the CUDA toolkit that built this plugin and cannot "
             "compile "
             "its kernels for this device: install a newer driver";
    case cudaErrorNoKernelImageForDevice:
      return "; this plugin was built without kernels that the device can run: build it with "
             "CMAKE_CUDA_ARCHITECTURES set to the device's compute capability";
    default:
      return "";
  }
}

}  // namespace

void check_cuda(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return;
  throw Error(status_of(error), std::string(what) + ": " + cudaGetErrorName(error) + " (" +
                                    std::to_string(static_cast<int>(error)) + "), " +
                                    cudaGetErrorString(error) + std::string(advice_for(error)));
}

}  // namespace vernal::cuda_sm86
