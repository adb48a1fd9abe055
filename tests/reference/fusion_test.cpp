// Operations that the backend cuda_sm86 computes in one launch give the bits that they give one by
// one: for a token, for a few of several sequences, and for more than a fused kernel takes.
#include <gtest/gtest.h>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

struct Case {
  std::string model;
  std::string kv_format;
};

class Fusion : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!is_under_test("cuda_sm86_emu")) GTEST_SKIP() << "cuda_sm86_emu is not under test";
    if (golden_folder(GetParam().model).empty()) {
      GTEST_SKIP() << "the larger reference set is not here: " << GetParam().model;
    }
  }

  /// The logits of all tokens of steps of many sizes.
  static std::vector<std::vector<float>> logits(bool fuses_nodes) {
    ModelOptions options;
    options.backend = "cuda_sm86_emu";
    options.keys = options.values = GetParam().kv_format;
    options.rotate = options.keys == "q4_0";
    options.fuses_nodes = fuses_nodes;
    ModelUnderTest model(golden_folder(GetParam().model) / (GetParam().model + ".gguf"), options);
    const auto a = model.sequence(128);
    const auto b = model.sequence(128);
    const auto c = model.sequence(128);
    std::vector<std::vector<float>> out;
    std::uint32_t seed = 0;
    const auto step = [&](const std::vector<std::pair<vernal_sequence_id, std::size_t>>& sizes) {
      std::vector<Part> parts;
      for (const auto& [sequence, count] : sizes)
        parts.push_back({sequence, tokens_of(++seed, count)});
      for (auto& rows : model.step(parts)) out.push_back(std::move(rows));
    };
    step({{a, 1}});
    step({{a, 5}});
    step({{a, 37}});
    step({{a, 1}, {b, 2}, {c, 3}});
    step({{b, 8}});
    step({{b, 1}, {c, 8}});
    step({{a, 1}, {b, 1}, {c, 1}});
    step({{a, 64}, {b, 9}});
    step({{a, 1}});
    return out;
  }
};

TEST_P(Fusion, ChangesNoBit) {
  const auto fused = logits(true);
  const auto one_by_one = logits(false);
  ASSERT_EQ(fused.size(), one_by_one.size());
  for (std::size_t i = 0; i < fused.size(); ++i) {
    EXPECT_TRUE(same_bits(one_by_one[i], fused[i])) << "part " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Fusion,
    testing::Values(Case{"tiny-llama", "f16"}, Case{"tiny-llama-q4_k_m", "q8_0"},
                    Case{"tiny-gemma3", "q4_0"}, Case{"tiny-qwen3", "f16"},
                    Case{"tiny-qwen35", "f16"}, Case{"tiny-qwen35-iq4_ks", "q4_0"},
                    Case{"tiny-qwen3moe", "q8_0"}, Case{"tiny-qwen35moe", "q4_0"}));

}  // namespace
}  // namespace vernal::test
