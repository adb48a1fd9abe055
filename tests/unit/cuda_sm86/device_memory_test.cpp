// Copies between device and host memory have a stream of their own, and yet come when they should:
// behind the steps before them, and before later steps that touch what they copy.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "emulator_fixture.hpp"
#include "sample_kernels.hpp"
#include "state/device_memory.hpp"

namespace vernal::cuda_sm86 {
namespace {

using ::testing::Each;

constexpr int kCount = 64;
constexpr std::int64_t kBytes = kCount * 4;

class DeviceMemoryCopies : public EmulatorTest {
 protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    steps_ = std::make_unique<Stream>();
    memory_ = std::make_unique<DeviceMemory>(*steps_);
    state_ = memory_->reserve(kBytes, backend::RegionUse::kWhole, "state");
    other_ = memory_->reserve(kBytes, backend::RegionUse::kWhole, "other");
    kept_ = memory_->reserve(kBytes, backend::RegionUse::kSparse, "kept");
  }
  void TearDown() override {
    for (auto* const region : {&state_, &other_, &kept_}) region->reset();
    memory_.reset();
    steps_.reset();
    EmulatorTest::TearDown();
  }

  /// A step that adds 1 to the numbers of a region.
  void step(const backend::Region& region) {
    memory_->wait_for_copies(region.data(), kBytes);
    auto* const numbers = reinterpret_cast<float*>(region.data());
    ASSERT_EQ(sample_add(steps_->get(), numbers, numbers, kCount, 1.0F), cudaSuccess);
  }
  void copy(const backend::Region& from, const backend::Region& to) {
    memory_->copy(from.data(), to.data(), kBytes);
  }
  std::vector<float> numbers(const backend::Region& region) {
    std::vector<std::byte> copy;
    std::vector<float> out(kCount);
    std::memcpy(out.data(), memory_->view(region.data(), kBytes, copy), kBytes);
    return out;
  }

  std::unique_ptr<Stream> steps_;
  std::unique_ptr<DeviceMemory> memory_;
  std::unique_ptr<backend::Region> state_;
  std::unique_ptr<backend::Region> other_;
  std::unique_ptr<backend::Region> kept_;
};

TEST_F(DeviceMemoryCopies, ComeBehindTheStepsBeforeThem) {
  step(*state_);
  copy(*state_, *kept_);
  EXPECT_THAT(numbers(*kept_), Each(1.0F));
}

TEST_F(DeviceMemoryCopies, ComeBeforeLaterStepsOfTheSameState) {
  step(*state_);
  copy(*state_, *kept_);
  step(*state_);
  step(*state_);
  EXPECT_THAT(numbers(*state_), Each(3.0F));
  EXPECT_THAT(numbers(*kept_), Each(1.0F));
}

TEST_F(DeviceMemoryCopies, HoldUpNoStepOfAnotherState) {
  step(*state_);
  EXPECT_THAT(numbers(*kept_), Each(0.0F));
  copy(*state_, *kept_);
  step(*other_);
  steps_->wait();
  EXPECT_EQ(*reinterpret_cast<const float*>(kept_->data()), 0.0F) << "it was waited for";
  EXPECT_THAT(numbers(*kept_), Each(1.0F));
}

TEST_F(DeviceMemoryCopies, BringBackWhatTheNextStepContinues) {
  step(*state_);
  copy(*state_, *kept_);
  step(*state_);
  copy(*kept_, *state_);
  step(*state_);
  EXPECT_THAT(numbers(*state_), Each(2.0F));
}

TEST_F(DeviceMemoryCopies, OfTheDeviceFollowThoseFromTheHost) {
  step(*state_);
  copy(*state_, *kept_);
  copy(*kept_, *other_);
  copy(*other_, *state_);
  step(*state_);
  EXPECT_THAT(numbers(*state_), Each(2.0F));
  EXPECT_THAT(numbers(*other_), Each(1.0F));
}

TEST_F(DeviceMemoryCopies, GoWithWhatTheHostReadsAndWrites) {
  step(*state_);
  copy(*state_, *kept_);
  const std::vector<float> sevens(kCount, 7.0F);
  memory_->write(std::as_bytes(std::span(sevens)), state_->data());
  EXPECT_THAT(numbers(*kept_), Each(1.0F));
  EXPECT_THAT(numbers(*state_), Each(7.0F));
  memory_->write(std::as_bytes(std::span(sevens)), kept_->data());
  copy(*kept_, *other_);
  memory_->clear(kept_->data(), kBytes);
  memory_->clear(state_->data(), kBytes);
  step(*state_);
  EXPECT_THAT(numbers(*other_), Each(7.0F));
  EXPECT_THAT(numbers(*kept_), Each(0.0F));
  EXPECT_THAT(numbers(*state_), Each(1.0F));
}

}  // namespace
}  // namespace vernal::cuda_sm86
