// Reads every block format and compares it, to the last bit, with floats that other engines read
// from the same bytes.
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

class BlockTypesGolden : public ::testing::TestWithParam<const char*> {
 protected:
  BlockTypesGolden()
      : file_(GgufFile::open(kQuants / fmt::format("{}.gguf", GetParam()))),
        found_(read_all(file_.require_tensor("x"))),
        wanted_(read_all(file_.require_tensor("x.f32"))) {}

  void SetUp() override {
    EXPECT_EQ(file_.require_tensor("x").type->name, GetParam());
    ASSERT_EQ(found_.size(), 8U * 1024U);
    ASSERT_EQ(found_.size(), wanted_.size());
  }

  const GgufFile file_;
  const std::vector<float> found_;
  const std::vector<float> wanted_;
};

using BlockTypesGoldenExact = BlockTypesGolden;
using BlockTypesGoldenNear = BlockTypesGolden;

TEST_P(BlockTypesGoldenExact, ReadsTheSameBits) {
  for (std::size_t i = 0; i < found_.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found_[i]), std::bit_cast<std::uint32_t>(wanted_[i]))
        << "row " << i / 1024 << ", column " << i % 1024 << ": found " << found_[i] << ", wanted "
        << wanted_[i];
  }
}

INSTANTIATE_TEST_SUITE_P(AllFormats, BlockTypesGoldenExact,
                         ::testing::Values("f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q6_0",
                                           "q8_0", "q2_K", "q3_K", "q4_K", "q5_K", "q6_K", "iq1_s",
                                           "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs",
                                           "iq3_s", "iq4_nl", "iq4_xs", "mxfp4", "iq2_k", "iq3_k",
                                           "iq4_k", "iq5_k", "iq2_ks", "iq3_ks", "iq4_ks", "iq5_ks",
                                           "iq4_kss", "iq2_kl", "iq2_kt", "iq3_kt", "iq4_kt"),
                         [](const auto& suite) { return std::string(suite.param); });

/// The golden floats of iq6_k were made with a cubic polynomial. Here the format is defined by a
/// table of the integers nearest to it, because writers and integer products use that table.
TEST_P(BlockTypesGoldenNear, StaysWithinTheRoundingOfTheTable) {
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    const auto wanted = static_cast<double>(wanted_[i]);
    error += (static_cast<double>(found_[i]) - wanted) * (static_cast<double>(found_[i]) - wanted);
    size += wanted * wanted;
  }
  EXPECT_GT(size, 0.0);
  EXPECT_LE(error, 3e-5 * size);
}

INSTANTIATE_TEST_SUITE_P(RoundedFormats, BlockTypesGoldenNear, ::testing::Values("iq6_k"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace vernal
