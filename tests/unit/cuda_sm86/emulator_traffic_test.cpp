// What the emulator counts of global memory: sectors of 32 bytes, once for a block of threads and once
// for a launch.
#include <gtest/gtest.h>

#include "counted_kernels.hpp"
#include "emulator_fixture.hpp"

namespace vernal::cuda_sm86 {
namespace {

using emulator::Traffic;

constexpr std::size_t kCount = 2000;  // more than a page of the host
constexpr std::size_t kBytes = kCount * sizeof(float);

class EmulatorTraffic : public EmulatorTest {
 protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    numbers_ = device_array(std::vector<float>(kCount, 1.0F));
    sums_ = device_array<float>(3);
    emulator::start_traffic();
  }

  Traffic of_numbers() { return emulator::traffic(numbers_, kBytes); }

  float* numbers_ = nullptr;
  float* sums_ = nullptr;
};

TEST_F(EmulatorTraffic, CountsASectorForEachBlockAndForTheLaunch) {
  ASSERT_EQ(counted_sums(stream_, numbers_, kCount, sums_, 3), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_blocks.read, 3 * kBytes);
  EXPECT_EQ(of_numbers().by_launches.read, kBytes);
  EXPECT_EQ(of_numbers().by_blocks.written, 0U);
  // The three sums lie in one sector.
  const Traffic sums = emulator::traffic(sums_, 3 * sizeof(float));
  EXPECT_EQ(sums.by_blocks.written, 3 * 32U);
  EXPECT_EQ(sums.by_launches.written, 32U);
  EXPECT_EQ(sums.by_blocks.read, 0U);
  EXPECT_EQ(emulator::device_traffic().by_launches.read, kBytes);
  EXPECT_EQ(emulator::device_traffic().by_launches.written, 32U);
  ASSERT_EQ(counted_sums(stream_, numbers_, kCount, sums_, 1), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_blocks.read, 4 * kBytes);
  EXPECT_EQ(of_numbers().by_launches.read, 2 * kBytes);
}

TEST_F(EmulatorTraffic, CountsWholeSectorsOfWhatIsReadInPart) {
  ASSERT_EQ(counted_stride(stream_, numbers_, kCount, 8, sums_), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_blocks.read, kBytes);
  emulator::start_traffic();
  ASSERT_EQ(counted_stride(stream_, numbers_, kCount, 16, sums_), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_blocks.read, kBytes / 2);
}

TEST_F(EmulatorTraffic, CountsCopiesOfKernelsAndOfStreams) {
  ASSERT_EQ(counted_copies(stream_, numbers_), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_blocks.read, 512U);
  emulator::start_traffic();
  auto* const pinned = pinned_array<float>(kCount);
  ASSERT_EQ(cudaMemcpyAsync(pinned, numbers_, kBytes, cudaMemcpyDeviceToHost, stream_),
            cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(sums_, pinned, 4, cudaMemcpyHostToDevice, stream_), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(of_numbers().by_launches.read, kBytes);
  EXPECT_EQ(emulator::pinned_traffic().by_launches.written, kBytes);
  EXPECT_EQ(emulator::pinned_traffic().by_launches.read, 32U);
  EXPECT_EQ(emulator::device_traffic().by_launches.written, 32U);
}

TEST_F(EmulatorTraffic, CountsNothingWhenItIsStopped) {
  emulator::stop_traffic();
  ASSERT_EQ(counted_sums(stream_, numbers_, kCount, sums_, 1), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(emulator::device_traffic().by_blocks.read, 0U);
}

}  // namespace
}  // namespace vernal::cuda_sm86
