// Errors of the CUDA runtime as the core gets them.
#include "device/cuda_error.hpp"

#include <gtest/gtest.h>

namespace vernal::cuda_sm86 {
namespace {

Error error_of(cudaError_t error) {
  try {
    check_cuda(error, "weights");
  } catch (const Error& thrown) {
    return thrown;
  }
  return {VERNAL_OK, ""};
}

TEST(CudaError, SuccessIsNone) { EXPECT_EQ(error_of(cudaSuccess).code(), VERNAL_OK); }

TEST(CudaError, TellsWhatTheCoreCanDoAboutIt) {
  EXPECT_EQ(error_of(cudaErrorMemoryAllocation).code(), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(error_of(cudaErrorIllegalAddress).code(), VERNAL_DEVICE_LOST);
  EXPECT_EQ(error_of(cudaErrorUnsupportedPtxVersion).code(), VERNAL_UNAVAILABLE);
  EXPECT_EQ(error_of(cudaErrorInvalidValue).code(), VERNAL_INTERNAL);
}

TEST(CudaError, NamesWhatWasTriedAndTheError) {
  const std::string text = error_of(cudaErrorMemoryAllocation).what();
  EXPECT_TRUE(text.starts_with("weights: cudaErrorMemoryAllocation (2), ")) << text;
}

TEST(CudaError, SaysWhatHelpsWhereTheOperatorCanHelp) {
  EXPECT_NE(std::string(error_of(cudaErrorUnsupportedPtxVersion).what()).find("a newer driver"),
            std::string::npos);
  EXPECT_NE(std::string(error_of(cudaErrorNoKernelImageForDevice).what())
                .find("CMAKE_CUDA_ARCHITECTURES"),
            std::string::npos);
}

}  // namespace
}  // namespace vernal::cuda_sm86
