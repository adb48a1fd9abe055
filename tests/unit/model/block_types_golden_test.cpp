// Every readable format against floats that other engines read from the same bytes, to the last
// bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/gguf_file.hpp"
#include "vernal/block_types.hpp"

namespace vernal {
namespace {

const std::filesystem::path kQuants = std::filesystem::path(VERNAL_GOLDEN_DIR) / "quants";

std::vector<float> read_all(const GgufTensor& tensor) {
  std::vector<float> values(tensor.num_elements());
  for (std::uint64_t row = 0; row < tensor.rows(); ++row) {
    dequantize_row(*tensor.type, tensor.row(row), tensor.columns(),
                   values.data() + row * tensor.columns());
  }
  return values;
}

class BlockTypesGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(BlockTypesGolden, ReadsTheSameBits) {
  const GgufFile file = GgufFile::open(kQuants / fmt::format("{}.gguf", GetParam()));
  const GgufTensor& stored = file.require_tensor("x");
  EXPECT_EQ(stored.type->name, GetParam());
  const std::vector<float> found = read_all(stored);
  const std::vector<float> wanted = read_all(file.require_tensor("x.f32"));
  ASSERT_EQ(found.size(), 8U * 1024U);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(wanted[i]))
        << "row " << i / 1024 << ", column " << i % 1024 << ": found " << found[i] << ", wanted "
        << wanted[i];
  }
}

INSTANTIATE_TEST_SUITE_P(AllFormats, BlockTypesGolden,
                         ::testing::Values("f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0",
                                           "q4_K", "q5_K", "q6_K", "iq4_nl", "iq4_xs", "iq4_ks"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace vernal
