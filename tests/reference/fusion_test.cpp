// Operations that the backend cuda_sm86 computes in one launch give the bits that they give one by
// one: for a token, for a few of several sequences, and for more than a fused kernel takes.
#include <gtest/gtest.h>

#include <cmath>

#include "model/gguf_file.hpp"
#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"
#include "support/operations_under_test.hpp"
#include "vernal/block_types.hpp"

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

/// A feed-forward and narrow matrices beside it, of one storage format and in q8_0.
class FusedProducts : public testing::TestWithParam<std::string> {
 protected:
  static constexpr std::int64_t kColumns = 1024;  // of the golden files, which have 8 rows

  void SetUp() override {
    if (!is_under_test("cuda_sm86_emu")) GTEST_SKIP() << "cuda_sm86_emu is not under test";
  }

  /// A matrix of the golden file's rows, from row `first` on, as often as needed.
  static WeightRef matrix(OperationsUnderTest& ops, const std::string& name,
                          const std::string& format, std::int64_t num_rows, std::uint64_t first) {
    const GgufFile file =
        GgufFile::open(std::filesystem::path(VERNAL_GOLDEN_DIR) / "quants" / (format + ".gguf"));
    const GgufTensor& x = file.require_tensor("x");
    std::vector<std::byte> bytes;
    for (std::int64_t i = 0; i < num_rows; ++i) {
      const std::byte* row = x.row((static_cast<std::uint64_t>(i) * 3 + first) % x.rows());
      bytes.insert(bytes.end(), row, row + x.row_bytes());
    }
    return ops.stored_weight(name, x.type->id, {num_rows, kColumns}, std::move(bytes));
  }

  static std::vector<std::vector<float>> results(bool fuses_nodes) {
    OperationsUnderTest ops("cuda_sm86_emu", fuses_nodes);
    const Builder& b = ops.b();
    const Tensor x = ops.input("x", {kTokens, kColumns});
    const Tensor u = b.rmsnorm(x, {}, 1e-6);
    const std::string& format = GetParam();
    const std::vector<float> numbers{0.5F, -0.25F, 1.0F, 2.0F, -1.0F, 0.125F, -3.0F};
    const Tensor gate = b.linear("gate", u, matrix(ops, "gate", format, kColumns, 1));
    const Tensor up = b.linear("up", u, matrix(ops, "up", format, kColumns, 2));
    const Tensor y = b.glu(gate, up, {.kind = "swiglu"});
    const Tensor down = b.linear("down", y, matrix(ops, "down", "q8_0", 40, 0));
    const Tensor wide = b.linear("wide", x, matrix(ops, "wide", format, 40, 4));
    // It reads the normed rows as floats; the others read their 8-bit form.
    const std::vector<float> plain_weights(3 * kColumns, 0.01F);
    const Tensor plain = b.linear("plain", u, ops.weight("plain", {3, kColumns}, plain_weights));
    const Tensor alpha = b.linear("alpha", x, matrix(ops, "alpha", "q8_0", 7, 5));
    const Tensor step = b.act(b.add(alpha, ops.weight("bias", {7}, numbers)), "softplus");
    const Tensor decay = b.mul(step, ops.weight("factors", {7}, numbers));
    ops.output(b.concat({down, wide, decay, plain}, 1));
    const auto sequence = ops.sequence();
    std::vector<std::vector<float>> out;
    for (const std::uint64_t count : {1, 3, 8, 9, 33}) {
      std::vector<float> made_up;
      for (std::uint64_t i = 0; i < count * kColumns; ++i) {
        made_up.push_back(std::sin(static_cast<float>(i * i % 1009 + count)));
      }
      ops.feed("x", std::move(made_up));
      out.push_back(ops.step({{sequence, count}}));
    }
    return out;
  }
};

TEST_P(FusedProducts, HaveTheBitsOfSingleOnes) {
  const auto fused = results(true);
  const auto one_by_one = results(false);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    EXPECT_TRUE(same_bits(one_by_one[i], fused[i])) << "step " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FusedProducts,
                         testing::Values("q4_0", "q8_0", "iq4_nl", "q4_K", "q5_K", "q6_K", "iq4_xs",
                                         "iq4_ks", "iq2_xs", "q5_1", "q2_K", "f16"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace vernal::test
