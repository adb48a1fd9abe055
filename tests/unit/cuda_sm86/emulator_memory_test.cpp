// Memory of the emulated device: who may touch it, what it holds at first, and what is around it.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "emulator/sanitizers.hpp"
#include "emulator_fixture.hpp"
#include "faulty_kernels.hpp"
#include "sample_kernels.hpp"

namespace vernal::cuda_sm86 {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

using EmulatorMemory = EmulatorTest;

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_F(EmulatorMemory, HoldsOnesAtFirst) {
  const auto* const device = device_array<std::uint8_t>(1000);
  EXPECT_THAT(host_copy(device, 1000), Each(0xFF));
  const auto* const pinned = pinned_array<std::uint8_t>(1000);
  EXPECT_THAT(std::vector<std::uint8_t>(pinned, pinned + 1000), Each(0xFF));
}

TEST_F(EmulatorMemory, CostsNothingUntilItIsWritten) {
  emulator::set_memory_bytes(std::size_t{16} << 30);
  auto* const large = device_array<std::uint8_t>(std::size_t{12} << 30);
  const std::uint8_t byte = 5;
  auto* const last = large + (std::size_t{12} << 30) - 1;
  ASSERT_EQ(cudaMemcpy(last, &byte, 1, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(host_copy(last, 1)[0], 5);
  EXPECT_EQ(host_copy(last - 1, 1)[0], 0xFF);
}

TEST_F(EmulatorMemory, ClearsLargeAndSmallPartsAlike) {
  constexpr std::size_t kBytes = 6 * kMiB;
  auto* const bytes = device_array<std::uint8_t>(kBytes);
  for (const int value : {7, 0, 0xFF, 0}) {
    for (const auto& [begin, end] : {std::pair(std::size_t{100}, kBytes - 1),
                                     std::pair(std::size_t{5000}, std::size_t{9000})}) {
      const int before = 255 - value;
      ASSERT_EQ(cudaMemsetAsync(bytes, before, kBytes, stream_), cudaSuccess);
      ASSERT_EQ(cudaMemsetAsync(bytes + begin, value, end - begin, stream_), cudaSuccess);
      ASSERT_EQ(wait(), cudaSuccess);
      const auto found = host_copy(bytes, kBytes);
      EXPECT_EQ(std::count(found.begin(), found.end(), before),
                static_cast<std::ptrdiff_t>(kBytes - (end - begin)));
      EXPECT_EQ(found[begin - 1], before);
      EXPECT_EQ(found[begin], value);
      EXPECT_EQ(found[end - 1], value);
      EXPECT_EQ(found[end], before);
    }
  }
}

TEST_F(EmulatorMemory, ClearingCostsNothingEither) {
  emulator::set_memory_bytes(std::size_t{16} << 30);
  const std::size_t bytes = std::size_t{12} << 30;
  auto* const large = device_array<std::uint8_t>(bytes);
  ASSERT_EQ(cudaMemsetAsync(large, 0, bytes, stream_), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(large + bytes - 1, 1)[0], 0);
}

TEST_F(EmulatorMemory, IsCountedAndRunsOut) {
  emulator::set_memory_bytes(64 * kMiB);
  std::size_t free = 0;
  std::size_t total = 0;
  void* const first = device_array<std::byte>(40 * kMiB);
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(total, 64 * kMiB);
  EXPECT_EQ(free, 24 * kMiB);
  void* second = nullptr;
  EXPECT_EQ(cudaMalloc(&second, 24 * kMiB + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&second, 64 * kMiB), cudaSuccess);
  EXPECT_NE(second, first) << "old pointers must not lead to new memory";
}

TEST_F(EmulatorMemory, IsAlignedAsCudaAligns) {
  for (const std::size_t bytes : {1U, 255U, 256U, 257U, 5000U}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device_array<std::byte>(bytes)) % 256, 0U);
  }
}

TEST_F(EmulatorMemory, MayNotBeTouchedByTheHost) {
  auto* const values = device_array(std::vector<int>{1, 2, 3});
  EXPECT_DEATH(values[1] = 7, "host code touches device memory: byte 4 of the allocation of 12");
  EXPECT_DEATH(EXPECT_EQ(values[2], 3), "host code touches device memory: byte 8");
}

TEST_F(EmulatorMemory, MayNotBeTouchedAfterItIsFreed) {
  auto* const from = device_array(std::vector<float>(4));
  auto* const to = device_array<float>(4);
  ASSERT_EQ(sample_add(stream_, from, to, 4, 1.0F), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  ASSERT_EQ(cudaFree(from), cudaSuccess);
  EXPECT_EQ(cudaFree(from), cudaErrorInvalidValue);
  EXPECT_EQ(sample_add(stream_, from, to, 4, 1.0F), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpyAsync(to, from, 16, cudaMemcpyDeviceToDevice, stream_),
            cudaErrorInvalidValue);
}

TEST_F(EmulatorMemory, ANumberWrittenBehindAnAllocationIsReported) {
  auto* const out = device_array<float>(kFaultyThreads + 1);
  std::vector<float> values(kFaultyThreads, 2.0F);
  const auto run = [&] {
    EXPECT_EQ(faulty_kernel(stream_, FaultyKernel::kOverrun, device_array(values), out),
              cudaSuccess);
    EXPECT_EQ(wait(), cudaErrorLaunchFailure);
  };
  if constexpr (emulator::kAddressSanitizer) {
    EXPECT_DEATH(run(), "use-after-poison");
  } else {
    run();
    EXPECT_THAT(emulator::last_fault(),
                AllOf(HasSubstr("bytes before or behind the allocation of 260 bytes"),
                      HasSubstr("were overwritten by the kernel")));
  }
}

TEST_F(EmulatorMemory, APageBehindAnAllocationEndsTheProcessWithAReport) {
  auto* const out = device_array<float>(kFaultyThreads);
  auto* const values = device_array(std::vector<float>(kFaultyThreads, 1.0F));
  ASSERT_EQ(faulty_kernel(stream_, FaultyKernel::kFarOverrun, values, out), cudaSuccess);
  EXPECT_DEATH(wait(),
               "thread \\(0,0,0\\) of \\(64,1,1\\) touches 0x[0-9a-f]+: 3840 bytes behind "
               "the end of the allocation of 256 bytes");
}

TEST_F(EmulatorMemory, KernelsGetNoPointersToPageableMemory) {
  std::vector<float> host(4);
  EXPECT_EQ(sample_add(stream_, host.data(), device_array<float>(4), 4, 1.0F),
            cudaErrorInvalidValue);
  EXPECT_EQ(sample_add(stream_, nullptr, device_array<float>(4), 4, 1.0F), cudaSuccess);
}

TEST_F(EmulatorMemory, PinnedMemoryIsReachedByBothSides) {
  auto* const values = pinned_array<float>(4);
  std::fill_n(values, 4, 2.0F);
  void* mapped = nullptr;
  ASSERT_EQ(cudaHostGetDevicePointer(&mapped, values, 0), cudaSuccess);
  auto* const out = pinned_array<float>(4);
  ASSERT_EQ(sample_add(stream_, static_cast<float*>(mapped), out, 4, 1.0F), cudaSuccess);
  EXPECT_TRUE(std::isnan(out[0])) << "nobody has waited yet";
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_THAT(std::vector<float>(out, out + 4), Each(3.0F));
  EXPECT_EQ(cudaFreeHost(values), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(values), cudaErrorInvalidValue);
  EXPECT_EQ(cudaHostGetDevicePointer(&mapped, values, 0), cudaErrorInvalidValue);
}

TEST_F(EmulatorMemory, FreeingFindsWhatAHostWroteBehindPinnedMemory) {
  if constexpr (!emulator::kAddressSanitizer) {
    auto* const values = pinned_array<float>(4);
    volatile float* const behind = values + 4;
    *behind = 1.0F;
    EXPECT_EQ(cudaFreeHost(values), cudaErrorLaunchFailure);
    EXPECT_THAT(emulator::last_fault(), HasSubstr("found by cudaFreeHost()"));
  }
}

TEST_F(EmulatorMemory, CopiesStayWithinAllocationsAndGoWhereTheirKindSays) {
  auto* const device = device_array<float>(4);
  std::vector<float> host(5);
  EXPECT_EQ(cudaMemcpy(device, host.data(), 20, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(device, host.data(), 16, cudaMemcpyDeviceToHost),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(device, host.data(), 16, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(device, 0, 17, stream_), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemsetAsync(device, 1, 16, stream_), cudaSuccess);
  EXPECT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(reinterpret_cast<std::uint32_t*>(device), 4),
            std::vector<std::uint32_t>(4, 0x01010101U));
  EXPECT_EQ(emulator::counters().fills, 1U);
}

TEST_F(EmulatorMemory, SaysWhatTheDeviceIs) {
  int count = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  cudaDeviceProp properties;
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "emulated sm_86");
  EXPECT_EQ(properties.major * 10 + properties.minor, 86);
  EXPECT_EQ(properties.totalGlobalMem, std::size_t{1} << 30);
  int value = 0;
  EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 0), cudaSuccess);
  EXPECT_EQ(value, 32);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorLaunchFailure), "cudaErrorLaunchFailure");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
}

// The environment is read once, so each case runs in a process of its own.
void check_first_call(const char* variable, const char* value, cudaError_t expected) {
  setenv(variable, value, 1);
  int count = -1;
  const cudaError_t error = cudaGetDeviceCount(&count);
  std::_Exit(error == expected && count == 0 ? 0 : 1);
}

TEST(EmulatorSettingsDeathTest, AreReadFromTheEnvironment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      check_first_call("VERNAL_EMULATED_SCHEDULE", "backwards", cudaErrorInitializationError),
      ::testing::ExitedWithCode(0),
      "VERNAL_EMULATED_SCHEDULE: expected forward, .* found \"backwards\"");
  EXPECT_EXIT(check_first_call("VERNAL_EMULATED_MEMORY_MIB", "0", cudaErrorInitializationError),
              ::testing::ExitedWithCode(0), "expected a number from 1 to 1048576, found \"0\"");
  EXPECT_EXIT(check_first_call("VERNAL_EMULATED_DEVICES", "0", cudaErrorNoDevice),
              ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vernal::cuda_sm86
