// Kernels for more than AVX2: how they are chosen, and that they give the bits of AVX2.
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <tuple>
#include <utility>

#include "matmul_fixture.hpp"
#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {
namespace {

/// Kernels beside those of AVX2 that this processor can run.
class MatmulOfFormatAndSet
    : public testing::TestWithParam<std::tuple<std::string_view, InstructionSet>> {
 protected:
  static const BlockType& type() { return type_of(std::get<0>(GetParam())); }
  static InstructionSet set() { return std::get<1>(GetParam()); }
};

TEST_P(MatmulOfFormatAndSet, GivesTheBitsOfAvx2) {
  const std::int64_t block = type().weights_per_block;
  for (const std::int64_t columns : {block, 3 * block, std::max<std::int64_t>(9 * block, 1024)}) {
    for (const std::int64_t rows : {1, 8, 13, 16, 21, 45}) {
      const Fixture w(type(), rows, columns);
      const std::vector<float> bias = random_floats(static_cast<std::size_t>(rows), 5);
      for (const std::int64_t tokens : {1, 2, 3, 4, 5, 6, 7, 12, 13, 25, 263}) {
        const auto x = random_floats(static_cast<std::size_t>(tokens * columns), 3);
        const auto expected = w.multiply(x.data(), tokens, bias.data(), 100);
        for (const std::int64_t groups : {1, 2, 3, 100}) {
          ASSERT_EQ(w.multiply(x.data(), tokens, bias.data(), groups, set()), expected)
              << rows << " rows, " << columns << " columns, " << tokens << " tokens, pieces of "
              << groups << " groups";
        }
      }
    }
  }
}

TEST_P(MatmulOfFormatAndSet, GivesTheBitsOfAvx2AtTheLimitsOfCodesAndScales) {
  const std::int64_t columns = std::max<std::int64_t>(type().weights_per_block, 64);
  for (const int byte : {0x00, 0xFF, 0x0F, 0xF0, 0x55, 0xAA, 0x80, 0x7F}) {
    Fixture w(type(), 2 * kRowGroup, columns);
    w.fill(static_cast<std::byte>(byte));
    for (const float sign : {1.0F, -1.0F}) {
      for (const std::int64_t tokens : {1, 13}) {
        const std::vector<float> x(static_cast<std::size_t>(tokens * columns), 127.0F * sign);
        EXPECT_EQ(w.multiply(x.data(), tokens, nullptr, 2, set()),
                  w.multiply(x.data(), tokens, nullptr, 2))
            << byte << " " << sign << " " << tokens;
      }
    }
  }
}

/// Formats that a set of this processor has a kernel for. The one of converted formats is seen through
/// one of these.
std::vector<std::tuple<std::string_view, InstructionSet>> kernels_beside_avx2() {
  std::vector<std::tuple<std::string_view, InstructionSet>> out;
  const auto add = [&](std::span<const MatmulKernel> kernels, InstructionSet set) {
    if (!is_available(set)) return;
    for (const MatmulKernel& kernel : kernels) {
      out.emplace_back(kernel.format == kEightBitId ? "ggml.iq2_xxs/1" : kernel.format, set);
    }
  };
  add(avx_vnni_kernels(), InstructionSet::kAvxVnni);
  add(avx512_vnni_kernels(), InstructionSet::kAvx512Vnni);
  return out;
}

// A processor may have AVX2 alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MatmulOfFormatAndSet);
INSTANTIATE_TEST_SUITE_P(All, MatmulOfFormatAndSet, testing::ValuesIn(kernels_beside_avx2()),
                         [](const auto& info) {
                           return std::string(type_of(std::get<0>(info.param)).name) + "_" +
                                  std::string(info_of(std::get<1>(info.param)).name);
                         });

TEST(InstructionSets, AreChosenByNameAndRefusedWithWhatTheyNeed) {
  EXPECT_EQ(choose_instruction_set("avx2"), InstructionSet::kAvx2);
  EXPECT_EQ(choose_instruction_set("auto"), best_instruction_set());
  for (const InstructionSetInfo& set : instruction_sets()) {
    if (is_available(set.id)) {
      EXPECT_EQ(choose_instruction_set(set.name), set.id);
      continue;
    }
    std::cout << "kernels of " << set.name << " are not tested: this processor lacks " << set.needs
              << "\n";
    try {
      choose_instruction_set(set.name);
      ADD_FAILURE() << set.name << " is not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
      EXPECT_NE(std::string(error.what()).find(set.needs), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(choose_instruction_set("avx10"), Error);
}

TEST(InstructionSets, RequestsAheadChangeNoBitAndReachBeyondTheWeights) {
  for (const BlockType& type : kBlockTypes) {
    if (!type.is_readable() || find_weight_format(type.id) == nullptr) continue;
    const std::int64_t columns = 3 * type.weights_per_block;
    const Fixture w(type, 21, columns);
    for (const std::int64_t tokens : {1, 2, 5}) {
      const auto x = random_floats(static_cast<std::size_t>(tokens * columns), 3);
      for (const InstructionSetInfo& set : instruction_sets()) {
        if (!is_available(set.id)) continue;
        const auto expected = w.multiply(x.data(), tokens, nullptr, 2, set.id, Requests::kNone);
        for (const Requests requests : {Requests::kReadOnce, Requests::kSecondCache}) {
          EXPECT_EQ(w.multiply(x.data(), tokens, nullptr, 2, set.id, requests), expected)
              << type.id << " " << set.name << " " << tokens;
        }
      }
    }
  }
}

TEST(InstructionSets, WeightsAreAskedForAheadAsMeasuredOnTheProcessor) {
  const WeightFormat& format = *find_weight_format("ggml.q4_k/1");
  const auto requests = [&](std::int64_t columns, std::int64_t tokens, ProcessorLine line) {
    Matmul matmul;
    matmul.weights = {&format, kRowGroup, columns, nullptr};
    matmul.num_tokens = tokens;
    return requests_of(matmul, line);
  };
  EXPECT_EQ(requests(1536, 1, ProcessorLine::kZen4), Requests::kNone);
  EXPECT_EQ(requests(1536, 4, ProcessorLine::kZen4), Requests::kNone);
  EXPECT_EQ(requests(1536, 1, ProcessorLine::kIntel), Requests::kSecondCache);
  EXPECT_EQ(requests(1536, 1, ProcessorLine::kOther), Requests::kReadOnce);
  for (const auto& [columns, tokens] : {std::pair{1536, 5}, {8960, 1}, {4096, 1}, {2048, 6}}) {
    SCOPED_TRACE(std::to_string(columns) + " columns, " + std::to_string(tokens) + " tokens");
    EXPECT_EQ(requests(columns, tokens, ProcessorLine::kZen4), Requests::kSecondCache);
    EXPECT_EQ(requests(columns, tokens, ProcessorLine::kIntel), Requests::kSecondCache);
    EXPECT_EQ(requests(columns, tokens, ProcessorLine::kOther), Requests::kReadOnce);
  }
  Matmul matmul;
  matmul.requests = Requests::kNone;
  EXPECT_EQ(requests_of(matmul), Requests::kNone);
}

TEST(InstructionSets, ChangeNothingOfAFormatButItsKernel) {
  for (const BlockType& type : kBlockTypes) {
    const WeightFormat* const plain = find_weight_format(type.id);
    for (const InstructionSetInfo& set : instruction_sets()) {
      const WeightFormat* const other = find_weight_format(type.id, set.id);
      ASSERT_EQ(plain == nullptr, other == nullptr) << type.id;
      if (plain == nullptr) continue;
      EXPECT_EQ(packed_bytes(*plain, 24, 512), packed_bytes(*other, 24, 512)) << type.id;
      EXPECT_EQ(plain->activations, other->activations) << type.id;
    }
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2
