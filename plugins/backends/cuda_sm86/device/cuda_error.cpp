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
    default:
      return VERNAL_INTERNAL;
  }
}

}  // namespace

void check_cuda(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return;
  throw Error(status_of(error), std::string(what) + ": " + cudaGetErrorName(error) + " (" +
                                    std::to_string(static_cast<int>(error)) + "), " +
                                    cudaGetErrorString(error));
}

}  // namespace vernal::cuda_sm86
