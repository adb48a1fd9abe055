#include "vernal/block_types.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vernal {
namespace {

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

const BlockType& type_of(std::string_view id) {
  const BlockType* const type = find_block_type(id);
  if (type == nullptr) throw std::logic_error("no block type " + std::string(id));
  return *type;
}

/// The value of a finite binary16 pattern, computed in double by its definition.
double value_of_f16(std::uint32_t pattern) {
  const std::uint32_t exponent = pattern >> 10U & 31U;
  const std::uint32_t fraction = pattern & 1023U;
  const double magnitude = exponent == 0
                               ? std::ldexp(fraction, -24)
                               : std::ldexp(1024.0 + fraction, static_cast<int>(exponent) - 25);
  return (pattern & 0x8000U) != 0 ? -magnitude : magnitude;
}

TEST(Float16, ReadsEveryPattern) {
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const float value = float_from_f16(static_cast<std::uint16_t>(pattern));
    if ((pattern & 0x7C00U) != 0x7C00U) {
      ASSERT_EQ(static_cast<double>(value), value_of_f16(pattern)) << pattern;
      ASSERT_EQ(std::signbit(value), (pattern & 0x8000U) != 0) << pattern;
    } else if ((pattern & 0x3FFU) == 0) {
      ASSERT_TRUE(std::isinf(value));
    } else {
      ASSERT_TRUE(std::isnan(value));
    }
  }
}

TEST(Float16, WritesBackEveryPattern) {
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const bool is_nan = (pattern & 0x7FFFU) > 0x7C00U;
    const std::uint32_t expected = is_nan ? pattern | 0x200U : pattern;  // NaNs come back quiet
    ASSERT_EQ(f16_from_float(float_from_f16(static_cast<std::uint16_t>(pattern))), expected);
  }
}

TEST(Float16, RoundsToNearestTiesToEven) {
  for (std::uint32_t pattern = 0; pattern < 0x7BFF; ++pattern) {
    const float low = float_from_f16(static_cast<std::uint16_t>(pattern));
    const float high = float_from_f16(static_cast<std::uint16_t>(pattern + 1));
    const float middle = low + (high - low) / 2;  // exact: a float has 13 more bits
    const std::uint32_t even = pattern + (pattern & 1U);
    ASSERT_EQ(f16_from_float(middle), even) << pattern;
    ASSERT_EQ(f16_from_float(std::nextafter(middle, low)), pattern);
    ASSERT_EQ(f16_from_float(std::nextafter(middle, high)), pattern + 1);
    ASSERT_EQ(f16_from_float(-middle), even | 0x8000U);
  }
}

TEST(Float16, OverflowsToInfinity) {
  EXPECT_EQ(f16_from_float(65504.0F), 0x7BFF);
  EXPECT_EQ(f16_from_float(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(f16_from_float(65520.0F), 0x7C00);
  EXPECT_EQ(f16_from_float(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(f16_from_float(std::numeric_limits<float>::max()), 0x7C00);
}

TEST(Float16, UnderflowsToZeroOfTheSameSign) {
  EXPECT_EQ(f16_from_float(0x1p-25F), 0x0000);  // a tie with 2^-24, zero is even
  EXPECT_EQ(f16_from_float(std::nextafter(0x1p-25F, 1.0F)), 0x0001);
  EXPECT_EQ(f16_from_float(-0x1p-26F), 0x8000);
  EXPECT_EQ(f16_from_float(std::numeric_limits<float>::denorm_min()), 0x0000);
}

TEST(Float16, ConvertsAtCompileTime) {
  static_assert(float_from_f16(0x3C00) == 1.0F);
  static_assert(f16_from_float(-2.0F) == 0xC000);
  static_assert(float_from_bf16(0x4049) > 3.14F && bf16_from_float(1.0F) == 0x3F80);
  SUCCEED();
}

TEST(Bfloat16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(bf16_from_float(std::bit_cast<float>(0x3F808000U)), 0x3F80);
  EXPECT_EQ(bf16_from_float(std::bit_cast<float>(0x3F818000U)), 0x3F82);
  EXPECT_EQ(bf16_from_float(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_EQ(bf16_from_float(std::bit_cast<float>(0x00008001U)), 0x0001);  // subnormal
  EXPECT_EQ(bf16_from_float(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(std::bit_cast<float>(0x7F800001U)))));
  EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(std::bit_cast<float>(0xFFFFFFFFU)))));
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    if ((pattern & 0x7FFFU) > 0x7F80U) continue;
    ASSERT_EQ(bf16_from_float(float_from_bf16(static_cast<std::uint16_t>(pattern))), pattern);
  }
}

TEST(BlockTypes, HaveDifferentNamesAndNumbersInRisingOrder) {
  std::set<std::string_view> ids;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kBlockTypes.size(); ++i) {
    ids.insert(kBlockTypes[i].id);
    names.insert(kBlockTypes[i].name);
    if (i == 0) continue;
    EXPECT_LT(kBlockTypes[i - 1].gguf_number, kBlockTypes[i].gguf_number);
  }
  EXPECT_EQ(ids.size(), kBlockTypes.size());
  EXPECT_EQ(names.size(), kBlockTypes.size());
}

TEST(BlockTypes, AreFoundByNumberAndById) {
  for (const BlockType& type : kBlockTypes) {
    EXPECT_EQ(find_block_type(type.gguf_number), &type);
    EXPECT_EQ(find_block_type(type.id), &type);
  }
  static_assert(find_block_type("ggml.q4_k/1")->gguf_number == 12);
  EXPECT_EQ(find_block_type(4U), nullptr);
  EXPECT_EQ(find_block_type(0xFFFFFFFFU), nullptr);
  EXPECT_EQ(find_block_type("ggml.q4_k"), nullptr);
  EXPECT_EQ(find_block_type(""), nullptr);
}

TEST(BlockTypes, CountTheBytesOfARow) {
  EXPECT_EQ(type_of("f32").row_bytes(7), 28U);
  EXPECT_EQ(type_of("ggml.q4_k/1").row_bytes(512), 288U);
  EXPECT_EQ(type_of("ggml.iq4_ks/1").row_bytes(5120), 4U + 20U * 136U);
  EXPECT_EQ(type_of("ggml.iq2_kl/1").row_bytes(256), 88U);
  EXPECT_EQ(type_of("ggml.iq4_ks/1").bits_per_weight(), 4.25);
  EXPECT_TRUE(type_of("ggml.q8_0/1").accepts_columns(64));
  EXPECT_FALSE(type_of("ggml.q8_0/1").accepts_columns(48));
  EXPECT_FALSE(type_of("f32").accepts_columns(0));
  EXPECT_FALSE(type_of("f32").accepts_columns(BlockType::kMaxColumns + 1));
}

TEST(BlockTypes, ReadEveryFormatOfWeights) {
  std::set<std::string_view> unreadable;
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable()) unreadable.insert(type.name);
  }
  EXPECT_EQ(unreadable, (std::set<std::string_view>{"i8", "i16", "i32", "i64", "f64"}));
}

TEST(BlockTypes, ListTheGridsCompletely) {
  // If the set had too few bits, the list would end in zeros; the zero is its first point.
  EXPECT_GT(kIq1Grid.points.back(), kIq1Grid.points[2046]);
  EXPECT_EQ(kIq2XxsGrid.points.front(), 0U);
  EXPECT_GT(kIq2XxsGrid.points.back(), kIq2XxsGrid.points[254]);
  EXPECT_GT(kIq2XsGrid.points.back(), kIq2XsGrid.points[510]);
  EXPECT_GT(kIq2SGrid.points.back(), kIq2SGrid.points[1022]);
  EXPECT_GT(kIq3XxsGrid.points.back(), kIq3XxsGrid.points[254]);
  EXPECT_GT(kIq3SGrid.points.back(), kIq3SGrid.points[510]);
}

TEST(BlockTypes, MakeTrellisValuesWithoutAChain) {
  std::uint32_t x = 4096 + 77;
  for (std::uint32_t k = 0; k < 8; ++k) {
    x *= 0xCBAC1FEDU;
    std::int32_t sum = -126;
    for (std::uint32_t byte = 0; byte < 4; ++byte) {
      sum += static_cast<std::int32_t>(x >> 8 * byte & 63U);
    }
    EXPECT_EQ(trellis_value(4096 + 77, k), sum);
  }
}

TEST(BlockTypes, ReadTheSmallestAndLargestScalesOfMxfp4) {
  std::array<std::byte, 17> block{};
  std::array<float, 32> values{};
  block[1] = std::byte{0x01};  // first weight 1, all others 0
  for (const auto& [exponent, scale] :
       {std::pair{0, 0x1p-128F}, std::pair{1, 0x1p-127F}, std::pair{2, 0x1p-126F},
        std::pair{128, 1.0F}, std::pair{255, 0x1p127F}}) {
    block[0] = static_cast<std::byte>(exponent);
    dequantize_row(type_of("ggml.mxfp4/1"), block.data(), 32, values.data());
    EXPECT_EQ(values[0], scale) << exponent;
    EXPECT_EQ(bits_of(values[1]), 0U);
  }
}

TEST(BlockTypes, ReadRowsAtAnyAlignment) {
  std::mt19937 random(1);
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable()) continue;
    const std::uint64_t columns = std::uint64_t{type.weights_per_block} * 3;
    std::vector<std::byte> row(type.row_bytes(columns));
    for (std::byte& byte : row) byte = static_cast<std::byte>(random());
    std::vector<float> expected(columns);
    dequantize_row(type, row.data(), columns, expected.data());
    std::vector<std::byte> shifted(row.size() + 1);
    std::memcpy(shifted.data() + 1, row.data(), row.size());
    std::vector<float> found(columns);
    dequantize_row(type, shifted.data() + 1, columns, found.data());
    EXPECT_EQ(std::memcmp(expected.data(), found.data(), columns * sizeof(float)), 0) << type.name;
  }
}

TEST(BlockTypes, KeepSubnormalScalesAndTheSignOfZero) {
  std::array<std::byte, 34> block{};
  block[0] = std::byte{1};     // D = 2^-24
  block[2] = std::byte{0x80};  // code -128
  std::array<float, 32> values{};
  dequantize_row(type_of("ggml.q8_0/1"), block.data(), 32, values.data());
  EXPECT_EQ(values[0], -0x1p-17F);
  EXPECT_EQ(bits_of(values[1]), 0U);
  block[1] = std::byte{0x80};  // D negative: a code of 0 is -0.0
  dequantize_row(type_of("ggml.q8_0/1"), block.data(), 32, values.data());
  EXPECT_EQ(bits_of(values[1]), 0x80000000U);
}

/// The largest error of a row that was written and read again.
struct RoundTrip {
  std::vector<float> values;
  std::vector<std::byte> row;
};

RoundTrip round_trip(std::string_view id, const std::vector<float>& values) {
  const BlockType& type = type_of(id);
  RoundTrip result{std::vector<float>(values.size()),
                   std::vector<std::byte>(type.row_bytes(values.size()))};
  const auto write = type.name == "q8_0" ? quantize_row_q8_0 : quantize_row_q4_0;
  write(values.data(), values.size(), result.row.data());
  dequantize_row(type, result.row.data(), values.size(), result.values.data());
  return result;
}

TEST(QuantizeRow, StaysWithinHalfAStep) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.0F, 3.0F);
  std::vector<float> values(32 * 50);
  for (float& value : values) value = normal(random);
  for (const auto& [id, step] :
       {std::pair{"ggml.q8_0/1", 1 / 127.0F}, std::pair{"ggml.q4_0/1", 1 / 8.0F}}) {
    const RoundTrip result = round_trip(id, values);
    for (std::size_t block = 0; block < 50; ++block) {
      const float extreme = std::fabs(extreme_of(values.data() + block * 32, 32));
      for (std::size_t w = block * 32; w < block * 32 + 32; ++w) {
        // The codes of q4_0 are -8..7. A value at the far end of the other sign is off by up to one
        // step.
        const float bound = step * extreme * (step > 0.1F ? 1.01F : 0.51F);
        ASSERT_LE(std::fabs(result.values[w] - values[w]), bound) << id << " " << w;
      }
    }
  }
}

TEST(QuantizeRow, KeepsZerosAndRoundsTiesToEven) {
  std::vector<float> values(32, 0.0F);
  EXPECT_EQ(round_trip("ggml.q8_0/1", values).values, values);
  EXPECT_EQ(round_trip("ggml.q4_0/1", values).values, values);
  values[0] = 127.0F;  // D = 1
  values[1] = 2.5F;
  values[2] = -3.5F;
  const RoundTrip eight = round_trip("ggml.q8_0/1", values);
  EXPECT_EQ(eight.values[0], 127.0F);
  EXPECT_EQ(eight.values[1], 2.0F);
  EXPECT_EQ(eight.values[2], -4.0F);
  values[0] = -8.0F;  // D = 1
  const RoundTrip four = round_trip("ggml.q4_0/1", values);
  EXPECT_EQ(four.values[0], -8.0F);
  EXPECT_EQ(four.values[1], 2.0F);
  EXPECT_EQ(four.values[2], -4.0F);
}

TEST(QuantizeRow, SurvivesTinyAndHugeBlocks) {
  for (const float magnitude : {1e-30F, 1e-7F, 5e-6F, 1e6F, 3e38F}) {
    for (const std::string_view id : {"ggml.q8_0/1", "ggml.q4_0/1"}) {
      std::vector<float> values(32, magnitude);
      values[7] = -magnitude;
      for (const float value : round_trip(id, values).values)
        ASSERT_TRUE(std::isfinite(value)) << id;
    }
  }
}

TEST(QuantizeRow, MarksABlockWithANumberThatIsNotFinite) {
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (const std::string_view id : {"ggml.q8_0/1", "ggml.q4_0/1"}) {
      std::vector<float> values(64, 1.0F);
      values[40] = bad;
      const RoundTrip result = round_trip(id, values);
      EXPECT_NEAR(result.values[3], 1.0F, 0.13F);
      for (std::size_t w = 32; w < 64; ++w) ASSERT_TRUE(std::isnan(result.values[w]));
    }
  }
}

}  // namespace
}  // namespace vernal
