// The threads of a block: right kernels are right in every order, and faults are found.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "emulator/numbers.hpp"
#include "emulator/sanitizers.hpp"
#include "emulator_fixture.hpp"
#include "faulty_kernels.hpp"
#include "sample_kernels.hpp"

namespace vernal::cuda_sm86 {
namespace {

using emulator::Order;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<std::int8_t> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> bytes(count);
  for (std::int8_t& byte : bytes) {
    byte = static_cast<std::int8_t>(random() & 0xFFU);
  }
  return bytes;
}

std::vector<std::uint32_t> words_of(const std::vector<std::int8_t>& bytes) {
  std::vector<std::uint32_t> words(bytes.size() / 4);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

// c[i, j] = the product of row i of a and row j of b, both [*, k].
std::vector<std::int32_t> product_of(const std::vector<std::int8_t>& a,
                                     const std::vector<std::int8_t>& b, std::size_t k) {
  std::vector<std::int32_t> c;
  for (std::size_t i = 0; i < a.size(); i += k) {
    for (std::size_t j = 0; j < b.size(); j += k) {
      std::int32_t sum = 0;
      for (std::size_t l = 0; l < k; ++l) {
        sum += a[i + l] * b[j + l];
      }
      c.push_back(sum);
    }
  }
  return c;
}

std::vector<float> counting_floats() {
  std::vector<float> values(kFaultyThreads);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i + 1);
  }
  return values;
}

/// Runs kernels under each order.
class InEveryOrder : public EmulatorTest, public ::testing::WithParamInterface<Order> {
 protected:
  void SetUp() override { restart(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Emulator, InEveryOrder, ::testing::ValuesIn(emulator::kAllOrders),
                         [](const auto& parameter) {
                           const std::string name = emulator::name_of({parameter.param, 1});
                           return name.substr(0, name.find(':'));
                         });

TEST_P(InEveryOrder, MultipliesAMatrixWithAVector) {
  constexpr int kRows = 37;
  constexpr int kColumns = 1040;
  const auto weights = random_bytes(kRows * kColumns, 1);
  const auto vector = random_bytes(kColumns, 2);
  auto* const out = device_array<std::int32_t>(kRows);
  ASSERT_EQ(
      sample_matvec(stream_, device_array(weights), device_array(vector), out, kRows, kColumns),
      cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(out, kRows), product_of(weights, vector, kColumns));
  EXPECT_EQ(emulator::counters().load_once_bytes, std::uint64_t{kRows * kColumns});
  EXPECT_EQ(emulator::counters().kernels, 1U);
}

TEST_P(InEveryOrder, MultipliesMatricesInStages) {
  constexpr int kM = 128;
  constexpr int kN = 64;
  constexpr int kK = 320;
  const auto a = random_bytes(kM * kK, 3);
  const auto b = random_bytes(kN * kK, 4);
  auto* const c = device_array<std::int32_t>(kM * kN);
  ASSERT_EQ(sample_product(stream_, device_array(words_of(a)), device_array(words_of(b)), c,
                           {kM, kN, kK}),
            cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(c, kM * kN), product_of(a, b, kK));
}

TEST_P(InEveryOrder, PlacesTheFragmentsOfBinary16AsThePtxManualSays) {
  std::vector<float> a(16 * 16);
  std::vector<float> b(8 * 16);
  std::mt19937 random(5);
  std::vector<std::uint32_t> words[2] = {std::vector<std::uint32_t>(a.size() / 2),
                                         std::vector<std::uint32_t>(b.size() / 2)};
  for (auto* const factor : {&a, &b}) {
    for (std::size_t i = 0; i < factor->size(); ++i) {
      (*factor)[i] = static_cast<float>(random() % 64) / 8.0F - 4.0F;  // exact in binary16
      words[factor == &b][i / 2] |= std::uint32_t{emulator::half_of_float((*factor)[i])}
                                    << (16 * (i % 2));
    }
  }
  auto* const d = device_array<float>(16 * 8);
  ASSERT_EQ(sample_f16_product(stream_, device_array(words[0]), device_array(words[1]), d),
            cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  const auto found = host_copy(d, 16 * 8);
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      float sum = 0.0F;
      for (std::size_t k = 0; k < 16; ++k) {
        sum += a[i * 16 + k] * b[j * 16 + k];
      }
      EXPECT_EQ(found[i * 8 + j], sum) << i << ", " << j;
    }
  }
}

TEST_P(InEveryOrder, PlacesTheFragmentsOfHalfAProductOfBytes) {
  const auto a = random_bytes(16 * 16, 6);
  const auto b = random_bytes(8 * 16, 7);
  auto* const d = device_array<std::int32_t>(16 * 8);
  ASSERT_EQ(
      sample_s8_half_product(stream_, device_array(words_of(a)), device_array(words_of(b)), d),
      cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(d, 16 * 8), product_of(a, b, 16));
}

// What lane `lane` gets in each row of sample_collectives().
std::vector<std::int32_t> collectives_of(const std::vector<std::int32_t>& values, int lane) {
  const auto value = [&](int of) { return values[static_cast<std::size_t>(of)]; };
  unsigned votes = 0;
  for (int of = 0; of < 32; ++of) {
    votes |= (value(of) % 3 == 0 ? 1U : 0U) << of;
  }
  return {value(5),
          value(lane / 8 * 8 + lane * 7 % 8),
          value(lane < 3 ? lane : lane - 3),
          value(lane % 16 + 3 > 15 ? lane : lane + 3),
          value(lane ^ 9),
          static_cast<std::int32_t>(votes),
          2,
          value(lane < 16 ? lane ^ 1 : lane ^ 2),
          2 * value(lane ^ 31) + 1};
}

TEST_P(InEveryOrder, ShufflesAndVotesAsCudaDoes) {
  std::vector<std::int32_t> values(32);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int32_t>(i * i + 7);
  }
  auto* const out = device_array<std::int32_t>(kCollectiveRows * 32);
  ASSERT_EQ(sample_collectives(stream_, device_array(values), out), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  const auto found = host_copy(out, kCollectiveRows * 32);
  for (int lane = 0; lane < 32; ++lane) {
    const auto expected = collectives_of(values, lane);
    for (std::size_t row = 0; row < expected.size(); ++row) {
      EXPECT_EQ(found[row * 32 + static_cast<std::size_t>(lane)], expected[row])
          << "row " << row << ", lane " << lane;
    }
  }
}

TEST_P(InEveryOrder, AddsUpTheNumbersOfABlock) {
  std::vector<float> values(5 * 256);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 17);
  }
  auto* const out = device_array<float>(5);
  ASSERT_EQ(sample_block_sum(stream_, device_array(values), out, 5), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  const auto found = host_copy(out, 5);
  for (std::size_t block = 0; block < 5; ++block) {
    float sum = 0.0F;
    for (std::size_t i = 0; i < 256; ++i) {
      sum += values[block * 256 + i];
    }
    EXPECT_EQ(found[block], sum);
  }
}

TEST_P(InEveryOrder, RunsEachBlockOnceInAnOrderOfItsOwn) {
  const std::vector<unsigned> none(1);
  auto* const total = device_array(none);
  auto* const last = device_array(none);
  ASSERT_EQ(sample_count(stream_, total, last, 11), cudaSuccess);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(total, 1)[0], 11U * 96);
  const bool is_reverse = GetParam() == Order::kReverse || GetParam() == Order::kGreedyReverse;
  if (GetParam() != Order::kRandom) {
    EXPECT_EQ(host_copy(last, 1)[0], is_reverse ? 0U : 10U);
  }
}

/// Faults of kernels. `in_order` runs a kernel and gives what is in `out`; `fault_in` the report.
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

TEST_F(EmulatorTest, RefusesLaunchesThatADeviceCannotRun) {
  EXPECT_EQ(sample_block_sum(stream_, nullptr, nullptr, 0), cudaErrorInvalidConfiguration);
}

TEST(EmulatedNumbers, ConvertBinary16Exactly) {
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = emulator::float_of_half(half);
    if (std::isnan(value)) {
      EXPECT_GT(bits & 0x7FFFU, 0x7C00U);
      EXPECT_EQ(emulator::half_of_float(value), 0x7FFF);
      continue;
    }
    const int exponent = static_cast<int>((bits >> 10) & 0x1FU);
    const auto mantissa = static_cast<float>(bits & 0x3FFU);
    const float magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                            : exponent == 31 ? INFINITY
                                             : std::ldexp(1024.0F + mantissa, exponent - 25);
    EXPECT_EQ(value, (bits & 0x8000U) != 0 ? -magnitude : magnitude);
    EXPECT_EQ(emulator::half_of_float(value), half);
  }
}

TEST(EmulatedNumbers, RoundToTheNearestBinary16) {
  EXPECT_EQ(emulator::half_of_float(1.0F + 0x1p-11F), 0x3C00);  // a tie, to even
  EXPECT_EQ(emulator::half_of_float(1.0F + 0x3p-11F), 0x3C02);
  EXPECT_EQ(emulator::half_of_float(1.0F + 0x1.1p-11F), 0x3C01);
  EXPECT_EQ(emulator::half_of_float(65519.0F), 0x7BFF);
  EXPECT_EQ(emulator::half_of_float(65520.0F), 0x7C00);
  EXPECT_EQ(emulator::half_of_float(-1e30F), 0xFC00);
  EXPECT_EQ(emulator::half_of_float(0x1p-25F), 0x0000);
  EXPECT_EQ(emulator::half_of_float(0x1.8p-25F), 0x0001);
  EXPECT_EQ(emulator::half_of_float(0x1.FFEp-15F), 0x0400);
}

TEST(EmulatedNumbers, PermuteBytesAsPrmtDoes) {
  EXPECT_EQ(emulator::permuted_bytes(0x33221100U, 0x77665544U, 0x7531U), 0x77553311U);
  EXPECT_EQ(emulator::permuted_bytes(0x00008000U, 0x000000FFU, 0xC898U), 0xFF00FF00U);
  EXPECT_EQ(emulator::dot_of_bytes(0x80FF7F01U, 0x80018001U, 5), 5 + 1 - 127 * 128 - 1 + 128 * 128);
}

TEST(Schedule, ReadsItsNamesAndNothingElse) {
  for (const Order order : emulator::kAllOrders) {
    const emulator::Schedule schedule = {order, 1};
    EXPECT_EQ(emulator::schedule_of(emulator::name_of(schedule)), schedule);
  }
  EXPECT_EQ(emulator::schedule_of("random:77")->seed, 77U);
  for (const char* const wrong : {"", "Forward", "random:", "random:x", "random:1 ", "greedy"}) {
    EXPECT_FALSE(emulator::schedule_of(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace vernal::cuda_sm86
