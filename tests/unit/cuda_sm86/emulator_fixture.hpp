// What the tests of the emulator share: arrays on the device, and each test on a fresh device.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "emulator/include/cuda_runtime_api.h"
#include "emulator/testing.hpp"

namespace vernal::cuda_sm86 {

/// Device memory for `count` values. reset() of the emulator frees it.
template <class Value>
Value* device_array(std::size_t count) {
  void* at = nullptr;
  EXPECT_EQ(cudaMalloc(&at, count * sizeof(Value)), cudaSuccess);
  return static_cast<Value*>(at);
}

template <class Value>
Value* device_array(const std::vector<Value>& values) {
  auto* const at = device_array<Value>(values.size());
  EXPECT_EQ(cudaMemcpy(at, values.data(), values.size() * sizeof(Value), cudaMemcpyHostToDevice),
            cudaSuccess);
  return at;
}

template <class Value>
Value* pinned_array(std::size_t count) {
  void* at = nullptr;
  EXPECT_EQ(cudaHostAlloc(&at, count * sizeof(Value), cudaHostAllocDefault), cudaSuccess);
  return static_cast<Value*>(at);
}

template <class Value>
std::vector<Value> host_copy(const Value* at, std::size_t count) {
  std::vector<Value> values(count);
  EXPECT_EQ(cudaMemcpy(values.data(), at, count * sizeof(Value), cudaMemcpyDeviceToHost),
            cudaSuccess);
  return values;
}

/// A device as at the start of the process, with the given settings.
class EmulatorTest : public ::testing::Test {
 protected:
  void SetUp() override { restart(emulator::Order::kForward); }
  void TearDown() override { restart(emulator::Order::kForward); }

  void restart(emulator::Order order, std::uint64_t seed = 1) {
    emulator::reset();
    emulator::set_schedule({order, seed});
    emulator::set_pace(emulator::Pace::kLazy);
    emulator::set_memory_bytes(std::size_t{1} << 30);
    stream_ = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }

  cudaError_t wait() { return cudaStreamSynchronize(stream_); }

  cudaStream_t stream_ = nullptr;
};

}  // namespace vernal::cuda_sm86
