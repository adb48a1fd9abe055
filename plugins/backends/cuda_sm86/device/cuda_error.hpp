// Errors of the CUDA runtime as errors of the plugin interface.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <string_view>

#include "vernal/error.hpp"

namespace vernal::cuda_sm86 {

/// Throws if a call of the runtime failed; `what` says what was tried: "weights: allocation of 13
/// GiB".
/// Errors  RESOURCE_EXHAUSTED: no memory;  DEVICE_LOST: the device works no more, and every later
///         call fails alike;  UNAVAILABLE: the device cannot run these kernels;  INTERNAL: anything
///         else
void check_cuda(cudaError_t error, std::string_view what);

}  // namespace vernal::cuda_sm86
