// Faults of kernels, and how the emulator shows them: by wrong results, or by a report.
#include <gmock/gmock.h>

#include <cmath>

#include "emulator/sanitizers.hpp"
#include "emulator_fixture.hpp"
#include "faulty_kernels.hpp"
#include "random_factors.hpp"
#include "sample_kernels.hpp"

namespace vernal::cuda_sm86 {
namespace {

using emulator::Order;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<float> counting_floats() {
  std::vector<float> values(kFaultyThreads);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i + 1);
  }
  return values;
}

/// Runs faulty kernels. is_right() looks at their results, fault_in() at the report.
class FaultTest : public EmulatorTest {
 protected:
  cudaError_t run(Order order, FaultyKernel kernel) {
    restart(order);
    values_ = counting_floats();
    out_ = device_array<float>(kFaultyThreads);
    EXPECT_EQ(faulty_kernel(stream_, kernel, device_array(values_), out_), cudaSuccess);
    return wait();
  }

  // Whether the kernel ran and `out` holds expected(t) for each thread t.
  template <class Expected>
  bool is_right(Order order, FaultyKernel kernel, const Expected& expected) {
    EXPECT_EQ(run(order, kernel), cudaSuccess);
    const auto found = host_copy(out_, kFaultyThreads);
    bool is_equal = true;
    for (std::size_t t = 0; t < found.size(); ++t) {
      is_equal = is_equal && found[t] == expected(t);
    }
    return is_equal;
  }

  std::string fault_in(Order order, FaultyKernel kernel) {
    EXPECT_EQ(run(order, kernel), cudaErrorLaunchFailure);
    return emulator::last_fault();
  }

  bool is_product_right(Order order, ProductMistake mistake) {
    restart(order);
    constexpr int kSize = 64;
    constexpr int kDepth = 256;
    const auto a = random_bytes(kSize * kDepth, 8);
    const auto b = random_bytes(kSize * kDepth, 9);
    auto* const c = device_array<std::int32_t>(kSize * kSize);
    EXPECT_EQ(sample_product(stream_, device_array(words_of(a)), device_array(words_of(b)), c,
                             {kSize, kSize, kDepth}, mistake),
              cudaSuccess);
    EXPECT_EQ(wait(), cudaSuccess);
    return host_copy(c, kSize * kSize) == product_of(a, b, kDepth);
  }

  std::vector<float> values_;
  float* out_ = nullptr;
};

TEST_F(FaultTest, MissingBarrierBeforeReadingIsFoundInEveryOrder) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_FALSE(is_right(order, FaultyKernel::kReadBeforeWrite,
                          [&](std::size_t t) { return values_[kFaultyThreads - 1 - t]; }));
  }
}

TEST_F(FaultTest, MissingWarpBarrierIsFoundInEveryOrder) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_FALSE(is_right(order, FaultyKernel::kNoWarpBarrier,
                          [&](std::size_t t) { return values_[t ^ 1]; }));
  }
}

TEST_F(FaultTest, MissingBarrierBeforeWritingAgainIsFoundInEveryOrder) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_FALSE(is_right(order, FaultyKernel::kWriteAfterRead,
                          [&](std::size_t t) { return 3 * values_[kFaultyThreads - 1 - t] + 3; }));
  }
}

TEST_F(FaultTest, AProductWithoutWaitIsWrongInEveryOrder) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_TRUE(is_product_right(order, ProductMistake::kNone));
    EXPECT_FALSE(is_product_right(order, ProductMistake::kNoWait));
    EXPECT_FALSE(is_product_right(order, ProductMistake::kWaitForOldGroup));
  }
}

TEST_F(FaultTest, AProductWithoutABarrierIsWrong) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_FALSE(is_product_right(order, ProductMistake::kNoBarrier));
  }
  EXPECT_FALSE(is_product_right(Order::kGreedyForward, ProductMistake::kNoTrailingBarrier));
  EXPECT_FALSE(is_product_right(Order::kGreedyReverse, ProductMistake::kNoTrailingBarrier));
}

TEST_F(FaultTest, AShuffleThatHalfAWarpCallsIsReported) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_THAT(fault_in(order, FaultyKernel::kDivergentShuffle),
                AllOf(HasSubstr("wait in __shfl_xor_sync of lanes 0xffffffff, at "
                                "faulty_kernels.cu:"),
                      HasSubstr("32 of 64 ended"), HasSubstr("block (0,0,0) of (1,1,1)"),
                      HasSubstr("launched at faulty_kernels.cu:")));
  }
}

TEST_F(FaultTest, OneShuffleAtTwoPlacesIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kTwoShuffles),
              HasSubstr("32 of 64 wait in __shfl_xor_sync"));
}

TEST_F(FaultTest, AShuffleFromALaneThatTakesNoPartIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kForeignLane),
              HasSubstr("lane 0 reads lane 16, which takes no part"));
}

TEST_F(FaultTest, AMaskWithoutTheOwnLaneIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kForeignMask),
              AllOf(HasSubstr("thread (16,0,0) of (64,1,1)"),
                    HasSubstr("with a mask that it is not part of")));
}

TEST_F(FaultTest, ABarrierThatOneThreadSkipsIsReported) {
  for (const Order order : emulator::kAllOrders) {
    EXPECT_THAT(fault_in(order, FaultyKernel::kSkippedBarrier),
                AllOf(HasSubstr("1 of 64 ended: (3,0,0)"),
                      HasSubstr("63 of 64 wait in __syncthreads(), at faulty_kernels.cu:")));
  }
}

TEST_F(FaultTest, TwoBarriersAreReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kTwoBarriers),
              HasSubstr("others wait at faulty_kernels.cu:"));
}

TEST_F(FaultTest, WritingBehindSharedMemoryIsReported) {
  if constexpr (emulator::kAddressSanitizer) {
    EXPECT_DEATH(run(Order::kForward, FaultyKernel::kSharedOverrun), "use-after-poison");
  } else {
    EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kSharedOverrun),
                HasSubstr("shared memory next to `numbers` was overwritten"));
  }
}

TEST_F(FaultTest, TooMuchSharedMemoryIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kTooMuchShared),
              HasSubstr("declares `large` of 49156 bytes"));
}

TEST_F(FaultTest, ACopyBehindSharedMemoryIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kCopyPastShared),
              AllOf(HasSubstr("thread (16,0,0)"), HasSubstr("calls copy_async to")));
}

TEST_F(FaultTest, WhatNobodyWroteIsNotANumber) {
  const auto never = [](std::size_t) { return 0.0F; };
  EXPECT_FALSE(is_right(Order::kForward, FaultyKernel::kUninitialised, never));
  EXPECT_TRUE(std::isnan(host_copy(out_, 1)[0]));
  EXPECT_FALSE(is_right(Order::kForward, FaultyKernel::kUninitialisedShared, never));
  EXPECT_TRUE(std::isnan(host_copy(out_, 1)[0]));
}

TEST_F(FaultTest, ATrapIsReportedAndStaysForAllCalls) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kTrap),
              AllOf(HasSubstr("thread (40,0,0) of (64,1,1)"), HasSubstr("__trap()")));
  EXPECT_EQ(wait(), cudaErrorLaunchFailure);
  void* at = nullptr;
  EXPECT_EQ(cudaMalloc(&at, 16), cudaErrorLaunchFailure);
  EXPECT_EQ(sample_add(stream_, nullptr, nullptr, 0, 0.0F), cudaErrorLaunchFailure);
}

TEST_F(FaultTest, AMisalignedLoadIsReported) {
  EXPECT_THAT(fault_in(Order::kForward, FaultyKernel::kMisalignedLoad),
              AllOf(HasSubstr("calls load_once with 0x"), HasSubstr("no multiple of 16")));
}

TEST_F(FaultTest, AStackThatOverflowsEndsTheProcessWithAReport) {
  EXPECT_DEATH(run(Order::kForward, FaultyKernel::kDeepStack), "needs more stack than its");
}

TEST_F(FaultTest, AKernelRunsAfterOneThatFailed) {
  fault_in(Order::kForward, FaultyKernel::kSkippedBarrier);
  restart(Order::kForward);
  auto* const out = device_array<float>(1);
  ASSERT_EQ(sample_block_sum(stream_, device_array(std::vector<float>(256, 2.0F)), out, 1),
            cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(out, 1)[0], 512.0F);
}

}  // namespace
}  // namespace vernal::cuda_sm86
