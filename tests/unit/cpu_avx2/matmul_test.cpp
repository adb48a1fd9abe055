#include "kernels/matmul/matmul.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "matmul_fixture.hpp"
#include "random_data.hpp"
#include "tolerance.hpp"

namespace vernal::cpu_avx2 {
namespace {

double tolerance(const WeightFormat& format) {
  switch (format.activations) {
    case ActivationKind::kBlocks32:
      return kEightBitNmse;
    case ActivationKind::kBlocks256:
      return kEightBitNmse;
    case ActivationKind::kFloat:
      break;
  }
  return kFloatNmse;
}

std::vector<double> multiply_in_double(const Fixture& w, const std::vector<float>& x,
                                       std::int64_t tokens, const std::vector<float>& bias) {
  std::vector<double> y(static_cast<std::size_t>(tokens * w.rows));
  for (std::int64_t n = 0; n < w.rows; ++n) {
    const std::vector<float> row = w.row(n);
    for (std::int64_t t = 0; t < tokens; ++t) {
      double sum = bias[static_cast<std::size_t>(n)];
      for (std::size_t k = 0; k < row.size(); ++k) {
        sum += static_cast<double>(row[k]) *
               static_cast<double>(x[static_cast<std::size_t>(t * w.columns) + k]);
      }
      y[static_cast<std::size_t>(t * w.rows + n)] = sum;
    }
  }
  return y;
}

class MatmulOfFormat : public testing::TestWithParam<std::string_view> {
 protected:
  static const BlockType& type() { return type_of(GetParam()); }
  static const WeightFormat& format() { return format_of(GetParam()); }

  /// Column counts that the format takes: one block, an odd number of blocks, many.
  std::vector<std::int64_t> column_counts() const {
    switch (format().activations) {
      case ActivationKind::kFloat:
        return {1, 7, 8, 61, 512};
      case ActivationKind::kBlocks32:
        return {32, 96, 288, 1056};
      case ActivationKind::kBlocks256:
        return {256, 768, 1536};
    }
    return {};
  }
};

TEST_P(MatmulOfFormat, AgreesWithDoubleArithmetic) {
  for (const std::int64_t columns : column_counts()) {
    const Fixture w(type(), 29, columns);
    const std::vector<float> bias = random_floats(29, 5);
    for (const std::int64_t tokens : {1, 2, 3, 9}) {
      const auto x = random_floats(static_cast<std::size_t>(tokens * columns), 3);
      const auto y = w.multiply(x.data(), tokens, bias.data(), 4);
      const auto expected = multiply_in_double(w, x, tokens, bias);
      EXPECT_LE(worst_nmse(y, expected, static_cast<std::size_t>(tokens)), tolerance(format()))
          << columns << " columns, " << tokens << " tokens";
    }
  }
}

/// x as the integer kernels see it: rounded to its 8-bit codes. As it is for float formats.
std::vector<float> rounded(const WeightFormat& format, const std::vector<float>& x,
                           std::int64_t tokens, std::int64_t columns) {
  const ActivationKind kind = format.activations;
  if (kind == ActivationKind::kFloat) return x;
  const Buffer buffer = aligned(static_cast<std::int64_t>(activation_bytes(kind, tokens, columns)));
  const ActivationBlocks blocks = activation_blocks(kind, tokens, columns, buffer.get());
  quantize_rows(x.data(), columns, blocks, 0, tokens);
  std::vector<float> out;
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t k = 0; k < columns; ++k) {
      const std::int64_t at = k / blocks.block_columns() * tokens + t;
      const std::int8_t code =
          blocks.codes[at * blocks.block_columns() + k % blocks.block_columns()];
      const bool is_wide = kind == ActivationKind::kBlocks256;
      const float m =
          is_wide ? blocks.sums[at * kSumsPerBlock256 + kMultipliersAt + k % 256 / 32 * 2] : 1.0F;
      out.push_back(blocks.scales[at] * m * static_cast<float>(code));
    }
  }
  return out;
}

TEST_P(MatmulOfFormat, AddsNoErrorToThatOfTheActivations) {
  for (const std::int64_t columns : column_counts()) {
    const Fixture w(type(), 29, columns);
    const std::vector<float> bias(29, 0.0F);
    for (const std::int64_t tokens : {1, 2, 9}) {
      const auto x = random_floats(static_cast<std::size_t>(tokens * columns), 3);
      const auto y = w.multiply(x.data(), tokens, nullptr, 4);
      const auto expected =
          multiply_in_double(w, rounded(format(), x, tokens, columns), tokens, bias);
      EXPECT_LE(worst_nmse(y, expected, static_cast<std::size_t>(tokens)), kFloatNmse)
          << columns << " columns, " << tokens << " tokens";
    }
  }
}

TEST_P(MatmulOfFormat, GivesTheSameBitsForARowInAnyBatch) {
  const std::int64_t columns = column_counts().back();
  constexpr std::int64_t kRows = 37;
  constexpr std::int64_t kMost = 293;  // more than one tile of tokens
  const Fixture w(type(), kRows, columns);
  const auto x = random_floats(static_cast<std::size_t>(kMost * columns), 11);
  std::vector<float> alone;
  for (std::int64_t t = 0; t < kMost; ++t) {
    const auto y = w.multiply(x.data() + t * columns, 1, nullptr, 100);
    alone.insert(alone.end(), y.begin(), y.end());
  }
  for (const std::int64_t tokens : {2L, 3L, 4L, 7L, 8L, 12L, 13L, 14L, 31L, 64L, kMost}) {
    for (const std::int64_t first : {std::int64_t{0}, kMost - tokens}) {
      const auto y = w.multiply(x.data() + first * columns, tokens, nullptr, tokens % 5 + 1);
      EXPECT_EQ(std::memcmp(y.data(), alone.data() + first * kRows, y.size() * sizeof(float)), 0)
          << tokens << " tokens from " << first;
    }
  }
}

TEST_P(MatmulOfFormat, ReadsZeroActivationsAsZero) {
  const std::int64_t columns = column_counts().back();
  const Fixture w(type(), 8, columns);
  const std::vector<float> x(static_cast<std::size_t>(5 * columns), 0.0F);
  for (const float y : w.multiply(x.data(), 5, nullptr, 1)) EXPECT_EQ(y, 0.0F);
}

TEST_P(MatmulOfFormat, SurvivesCodesAndScalesAtTheirLimits) {
  // The same byte everywhere: every code, scale and choice at an end or in between, all activations
  // at an end. int16 and int32 sums must not wrap.
  const std::int64_t columns = column_counts().front();
  constexpr std::int64_t kRows = 2 * kRowGroup;
  const std::vector<float> bias(kRows, 0.0F);
  for (const int byte : {0x00, 0xFF, 0x0F, 0xF0, 0x55, 0xAA, 0x80, 0x7F}) {
    Fixture w(type(), kRows, columns);
    w.fill(static_cast<std::byte>(byte));
    for (const float sign : {1.0F, -1.0F}) {
      for (const std::int64_t tokens : {5, 14}) {
        const std::vector<float> x(static_cast<std::size_t>(tokens * columns), 127.0F * sign);
        const auto expected = multiply_in_double(w, x, tokens, bias);
        const auto y = w.multiply(x.data(), tokens, nullptr, 2);
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y[i], expected[i], 1e-5 * std::fabs(expected[i])) << byte << " " << sign;
        }
      }
    }
  }
}

TEST_P(MatmulOfFormat, PacksRowsWithoutLosingABit) {
  for (const std::int64_t columns : column_counts()) {
    const Fixture w(type(), 13, columns);
    std::vector<std::byte> row(static_cast<std::size_t>(stored_row_bytes(format(), columns)));
    std::vector<float> floats(static_cast<std::size_t>(columns));
    for (std::int64_t r = 0; r < 13; ++r) {
      if (format().id != kEightBitId) {
        unpack_row(w.matrix(), r, row.data());
        EXPECT_EQ(std::memcmp(row.data(), w.stored.data() + r * w.row_bytes, row.size()), 0);
      }
      dequantize_packed_row(w.matrix(), r, row.data(), floats.data());
      EXPECT_EQ(floats, w.row(r));
    }
  }
}

std::vector<std::string_view> all_formats() {
  std::vector<std::string_view> ids;
  for (const BlockType& type : kBlockTypes) {
    if (type.is_readable()) ids.push_back(type.id);
  }
  return ids;
}

INSTANTIATE_TEST_SUITE_P(All, MatmulOfFormat, testing::ValuesIn(all_formats()),
                         [](const testing::TestParamInfo<std::string_view>& info) {
                           return std::string(type_of(info.param).name);
                         });

TEST(ActivationBlocks, SurvivesTheSmallestWeightOfQ8_0) {
  // -128 has no positive counterpart in a byte; files of other writers contain it.
  std::vector<std::byte> stored(34, std::byte{0x80});
  const std::uint16_t one = f16_from_float(1.0F);
  std::memcpy(stored.data(), &one, sizeof(one));
  const Buffer packed = aligned(packed_bytes(format_of("ggml.q8_0/1"), 1, 32));
  pack_group(format_of("ggml.q8_0/1"), 32, stored.data(), 1, packed.get());
  const std::vector<float> x(32, -127.0F);
  const Buffer buffer =
      aligned(static_cast<std::int64_t>(activation_bytes(ActivationKind::kBlocks32, 1, 32)));
  Matmul matmul;
  matmul.weights = {&format_of("ggml.q8_0/1"), 1, 32, packed.get()};
  matmul.blocks = activation_blocks(ActivationKind::kBlocks32, 1, 32, buffer.get());
  quantize_rows(x.data(), 32, matmul.blocks, 0, 1);
  float y = 0.0F;
  matmul.num_tokens = 1;
  matmul.y = &y;
  matmul.y_stride = 1;
  matmul_groups(matmul, 0, 1);
  EXPECT_EQ(y, 32.0F * 128.0F * 127.0F);
}

TEST(Mxfp4, MultipliesWithTheSmallestAndTheLargestScales) {
  for (const auto& [exponent, scale] :
       {std::pair{0, 0x1p-128F}, std::pair{1, 0x1p-127F}, std::pair{2, 0x1p-126F},
        std::pair{128, 1.0F}, std::pair{246, 0x1p118F}}) {
    std::vector<std::byte> stored(17, std::byte{0x11});  // every weight 1 * scale
    stored[0] = static_cast<std::byte>(exponent);
    const Buffer packed = aligned(packed_bytes(format_of("ggml.mxfp4/1"), 1, 32));
    pack_group(format_of("ggml.mxfp4/1"), 32, stored.data(), 1, packed.get());
    const std::vector<float> x(32, 127.0F);
    const Buffer buffer =
        aligned(static_cast<std::int64_t>(activation_bytes(ActivationKind::kBlocks32, 1, 32)));
    Matmul matmul;
    matmul.weights = {&format_of("ggml.mxfp4/1"), 1, 32, packed.get()};
    matmul.blocks = activation_blocks(ActivationKind::kBlocks32, 1, 32, buffer.get());
    quantize_rows(x.data(), 32, matmul.blocks, 0, 1);
    float y = 0.0F;
    matmul.num_tokens = 1;
    matmul.y = &y;
    matmul.y_stride = 1;
    matmul_groups(matmul, 0, 1);
    EXPECT_EQ(y, 32.0F * 127.0F * scale) << exponent;
  }
}

TEST(ActivationBlocks, SurvivesTheLargestSums) {
  // Every code and scale at its limit: int16 and int32 sums must not wrap.
  for (const char* const id : {"ggml.q4_k/1", "ggml.q5_k/1", "ggml.q6_k/1"}) {
    const WeightFormat& format = format_of(id);
    const bool is_q6_k = format.id == "ggml.q6_k/1";
    const std::int64_t columns = 256;
    std::vector<std::byte> stored(static_cast<std::size_t>(stored_row_bytes(format, columns)),
                                  std::byte{0xFF});
    const std::uint16_t one = f16_from_float(1.0F);
    std::memcpy(stored.data() + (is_q6_k ? 208 : 0), &one, sizeof(one));
    if (is_q6_k) {
      std::memset(stored.data() + 192, 0x80, 16);
    } else {
      std::memcpy(stored.data() + 2, &one, sizeof(one));
    }
    const Buffer packed = aligned(packed_bytes(format, 1, columns));
    pack_group(format, columns, stored.data(), 1, packed.get());
    std::vector<float> row(256);
    dequantize_row(type_of(format.id), stored.data(), 256, row.data());
    for (const float sign : {1.0F, -1.0F}) {
      const std::vector<float> x(5 * 256, 127.0F * sign);
      const Buffer buffer =
          aligned(static_cast<std::int64_t>(activation_bytes(ActivationKind::kBlocks256, 5, 256)));
      Matmul matmul;
      matmul.weights = {&format, 1, columns, packed.get()};
      matmul.blocks = activation_blocks(ActivationKind::kBlocks256, 5, 256, buffer.get());
      quantize_rows(x.data(), 256, matmul.blocks, 0, 5);
      std::vector<float> y(5);
      matmul.num_tokens = 5;
      matmul.y = y.data();
      matmul.y_stride = 1;
      matmul_groups(matmul, 0, 1);
      for (const float value : y) EXPECT_FLOAT_EQ(value, 256.0F * 127.0F * sign * row[0]);
    }
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2
