// Activations as 8-bit integers: the kernel alone, on the emulated device.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "device/memory.hpp"
#include "kernels/matmul/activation_blocks.hpp"

namespace vernal::cuda_sm86 {
namespace {

constexpr std::int64_t kColumns = 64;  // two blocks

struct Blocks {
  std::vector<std::int8_t> codes;  // [kColumns]
  std::vector<float> scales;       // of each block
  std::vector<float> sums;
};

/// The blocks of one row.
Blocks quantized(const std::vector<float>& row) {
  const Buffer x(MemoryPlace::kPinned, kColumns * 4, "x");
  std::memcpy(x.data(), row.data(), kColumns * 4);
  const Buffer counts(MemoryPlace::kPinned, sizeof(StepCounts), "counts");
  *counts.as<StepCounts>() = {1, 1, 1, 0};
  const Buffer out(MemoryPlace::kPinned, activation_bytes(1, kColumns), "blocks");
  Quantize quantize{};
  quantize.x = x.as<float>();
  quantize.blocks = activation_blocks(out.data(), kColumns);
  quantize.rows = {&counts.as<StepCounts>()->num_tokens, 1};
  quantize.num_columns = kColumns;
  EXPECT_EQ(launch_quantize(quantize, 1, {nullptr, 1, 1, 1}), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  Blocks blocks;
  for (int i = 0; i < kColumns; ++i) {
    const ActivationTile& tile = quantize.blocks.tiles[i / kBlockColumns];
    blocks.codes.push_back(tile.codes[0][place_in_block(i % kBlockColumns)]);
    if (i % kBlockColumns != 0) continue;
    blocks.scales.push_back(tile.scales[0]);
    blocks.sums.push_back(tile.sums[0]);
  }
  return blocks;
}

TEST(QuantizeBlocks, RoundsToTheNearestOfASteppedRange) {
  std::vector<float> row(kColumns, 0.0F);
  row[0] = -127.0F;
  row[1] = 3.4F;
  row[2] = 3.6F;
  const Blocks blocks = quantized(row);
  EXPECT_EQ(blocks.scales[0], 1.0F);
  EXPECT_EQ(blocks.codes[0], -127);
  EXPECT_EQ(blocks.codes[1], 3);
  EXPECT_EQ(blocks.codes[2], 4);
  EXPECT_EQ(blocks.sums[0], -120.0F);
}

TEST(QuantizeBlocks, AddUpWhatTheCodesStandFor) {
  std::vector<float> row(kColumns, 0.0F);
  row[32] = 63.5F;
  row[40] = -1.7F;
  const Blocks blocks = quantized(row);
  EXPECT_EQ(blocks.scales[1], 0.5F);
  EXPECT_EQ(blocks.codes[40], -3);
  EXPECT_EQ(blocks.sums[1], 62.0F);
}

TEST(QuantizeBlocks, TakesABlockOfZeros) {
  const Blocks blocks = quantized(std::vector<float>(kColumns, 0.0F));
  EXPECT_EQ(blocks.scales[1], 0.0F);
  EXPECT_EQ(blocks.sums[1], 0.0F);
  EXPECT_EQ(blocks.codes[40], 0);
}

// The maximum of two numbers passes over a NaN, which must not get lost by that.
TEST(QuantizeBlocks, ShowsNumbersThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    std::vector<float> row(kColumns, 1.0F);
    row[5] = bad;
    const Blocks blocks = quantized(row);
    EXPECT_TRUE(std::isnan(blocks.scales[0])) << bad;
    EXPECT_FLOAT_EQ(blocks.scales[1], 1.0F / 127.0F) << "the other block is sound";
  }
}

}  // namespace
}  // namespace vernal::cuda_sm86
