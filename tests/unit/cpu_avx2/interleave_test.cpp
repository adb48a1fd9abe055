#include "kernels/interleave.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "matmul_fixture.hpp"

namespace vernal::cpu_avx2 {
namespace {

// Each word says where it is from, so an exchange of any two is seen.
TEST(Interleave, PutsWordWOfRowRAtPlaceEightWPlusR) {
  constexpr std::int64_t kGap = 6;  // between rows: words then lie at odd places
  for (const std::int64_t num_words : {1, 3, 4, 5, 8, 21, 52}) {
    const std::int64_t row_bytes = 4 * num_words + kGap;
    std::vector<std::byte> rows(static_cast<std::size_t>(8 * row_bytes), std::byte{0xEE});
    for (std::uint32_t r = 0; r < 8; ++r) {
      for (std::uint32_t w = 0; w < num_words; ++w) {
        const std::uint32_t word = r << 16U | w;
        std::memcpy(rows.data() + r * row_bytes + 4 * w, &word, sizeof(word));
      }
    }
    std::vector<std::uint32_t> out(static_cast<std::size_t>(8 * num_words) + 1, 0xABCDABCD);
    interleave_eight_rows(rows.data(), row_bytes, num_words, nullptr,
                          reinterpret_cast<std::byte*>(out.data()));
    for (std::uint32_t i = 0; i < 8 * num_words; ++i) {
      ASSERT_EQ(out[i], (i % 8) << 16U | i / 8) << num_words << " words, place " << i;
    }
    EXPECT_EQ(out.back(), 0xABCDABCDU) << num_words << " words: written beyond the end";
  }
}

TEST(Interleave, PutsWordsWhereTheTableOfPlacesSays) {
  const std::vector<std::uint8_t> places{3, 5, 0, 1, 4, 2};
  std::vector<std::uint32_t> rows;
  for (std::uint32_t r = 0; r < 8; ++r) {
    for (std::uint32_t w = 0; w < 6; ++w) rows.push_back(r << 16U | w);
  }
  std::vector<std::uint32_t> out(48);
  interleave_eight_rows(reinterpret_cast<const std::byte*>(rows.data()), 24, 6, places.data(),
                        reinterpret_cast<std::byte*>(out.data()));
  for (std::uint32_t r = 0; r < 8; ++r) {
    for (std::uint32_t w = 0; w < 6; ++w) EXPECT_EQ(out[places[w] * 8U + r], r << 16U | w);
  }
}

// Kernels read a group from front to back: nothing that a block needs lies behind its words.
TEST(Interleave, ScalesLieInALineInFrontOfTheirBlocks) {
  const WeightFormat& q8_0 = format_of("ggml.q8_0/1");
  constexpr std::int64_t kBlocks = 6;
  std::vector<std::byte> rows(8 * kBlocks * 34);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t block = i / 34 % kBlocks;
    rows[i] = static_cast<std::byte>(i % 34 < 2 ? 0xA0 + block : block);
  }
  ASSERT_EQ(group_bytes(q8_0, 32 * kBlocks), 2 * 64 + kBlocks * 256);
  const Buffer group = aligned(2 * 64 + kBlocks * 256);
  pack_group(q8_0, 32 * kBlocks, rows.data(), 8, group.get());
  const auto all_are = [&](std::int64_t first, std::int64_t count, int value) {
    return std::all_of(group.get() + first, group.get() + first + count,
                       [&](std::byte b) { return b == static_cast<std::byte>(value); });
  };
  for (int b = 0; b < kBlocks; ++b) {
    const std::int64_t line = b < 4 ? 0 : 64 + 4 * 256;
    EXPECT_TRUE(all_are(line + b % 4 * 16, 16, 0xA0 + b)) << b;
    EXPECT_TRUE(all_are(line + 64 + b % 4 * 256, 256, b)) << b;
  }
}

TEST(Interleave, LinesOfScalesTakeLessThanALineMoreThanTheScales) {
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable() || find_weight_format(type.id) == nullptr) continue;
    const WeightFormat& format = format_of(type.id);
    for (const std::int64_t columns : {256, 512, 1536, 2304, 8960}) {
      const std::int64_t least = kRowGroup * stored_row_bytes(format, columns);
      EXPECT_GE(group_bytes(format, columns), least) << type.id << " " << columns;
      EXPECT_LT(group_bytes(format, columns), least + 128) << type.id << " " << columns;
      EXPECT_EQ(group_bytes(format, columns) % 64, 0) << type.id << " " << columns;
    }
  }
}

// Groups with missing rows are packed row by row.
TEST(Interleave, PacksWholeGroupsLikeGroupsWithAMissingRow) {
  constexpr std::int64_t kColumns = 512;
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable() || find_weight_format(type.id) == nullptr) continue;
    const WeightFormat& format = format_of(type.id);
    if (format.id != type.id || format.num_words == 0) continue;
    const std::int64_t row_bytes = stored_row_bytes(format, kColumns);
    std::vector<std::byte> rows = random_weights(type, 8, kColumns, 5);
    std::fill(rows.begin() + 7 * row_bytes, rows.end(), std::byte{0});
    const std::int64_t bytes = group_bytes(format, kColumns);
    const Buffer whole = aligned(bytes);
    const Buffer partial = aligned(bytes);
    std::memset(whole.get(), 0, static_cast<std::size_t>(bytes));
    pack_group(format, kColumns, rows.data(), 8, whole.get());
    pack_group(format, kColumns, rows.data(), 7, partial.get());
    EXPECT_EQ(std::memcmp(whole.get(), partial.get(), static_cast<std::size_t>(bytes)), 0)
        << type.id;
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2
