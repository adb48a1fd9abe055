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
    interleave_eight_rows(rows.data(), row_bytes, num_words,
                          reinterpret_cast<std::byte*>(out.data()));
    for (std::uint32_t i = 0; i < 8 * num_words; ++i) {
      ASSERT_EQ(out[i], (i % 8) << 16U | i / 8) << num_words << " words, place " << i;
    }
    EXPECT_EQ(out.back(), 0xABCDABCDU) << num_words << " words: written beyond the end";
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
