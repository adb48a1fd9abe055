// The threads of a block: right kernels are right in every order.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "emulator/numbers.hpp"
#include "emulator_fixture.hpp"
#include "random_factors.hpp"
#include "sample_kernels.hpp"

namespace vernal::cuda_sm86 {
namespace {

using emulator::Order;

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
  EXPECT_EQ(emulator::permute_bytes(0x33221100U, 0x77665544U, 0x7531U), 0x77553311U);
  EXPECT_EQ(emulator::permute_bytes(0x00008000U, 0x000000FFU, 0xC898U), 0xFF00FF00U);
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
