// The bits of a sequence's logits depend on its own tokens and on nothing else. The flag
// BATCH_INVARIANT promises this for equal chunk borders; our own backends promise it for any chunk
// borders.
#include <gtest/gtest.h>

#include <cstring>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/instruction_sets.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

struct Case {
  std::string model;
  std::string backend;
  std::string isa;
  std::string kv_format;
};

class BatchInvariance : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (golden_folder(GetParam().model).empty()) {
      GTEST_SKIP() << "the larger reference set is not here: " << GetParam().model;
    }
  }

  std::unique_ptr<ModelUnderTest> open(std::int64_t threads) const {
    ModelOptions options;
    options.backend = GetParam().backend;
    options.keys = options.values = GetParam().kv_format;
    options.rotate = GetParam().kv_format == "q4_0";
    options.threads = options.backend == "cpu_avx2" ? threads : 0;
    options.isa = GetParam().isa;
    return std::make_unique<ModelUnderTest>(
        golden_folder(GetParam().model) / (GetParam().model + ".gguf"), options);
  }

  /// A prefill of 150 tokens in chunks that end at multiples of 64, then ten decodes. Nothing else
  /// runs.
  std::vector<float> alone(ModelUnderTest& model, const Tokens& tokens) const {
    const auto sequence = model.sequence(tokens.size());
    std::vector<float> out = model.feed(sequence, std::span(tokens).first(150), 64);
    for (std::size_t i = 150; i < tokens.size(); ++i) {
      const auto logits = model.step({{sequence, {tokens[i]}}});
      out.insert(out.end(), logits[0].begin(), logits[0].end());
    }
    model.pool().seq_release(sequence);
    return out;
  }

  /// The same tokens, while three other sequences prefill and decode in the same steps.
  std::vector<float> among_four(ModelUnderTest& model, const Tokens& tokens) const {
    const auto sequence = model.sequence(tokens.size());
    std::vector<vernal_sequence_id> others;
    for (int i = 0; i < 3; ++i) others.push_back(model.sequence(400));
    std::vector<float> out;
    std::size_t position = 0;
    std::uint32_t round = 0;
    while (position < tokens.size()) {
      const std::size_t size = position < 150 ? std::min<std::size_t>(64, 150 - position) : 1;
      const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(position);
      std::vector<Part> parts;
      parts.push_back({others[0], tokens_of(round + 1, 1)});
      parts.push_back({others[1], tokens_of(round + 2, 1 + round * 5 % 23)});
      parts.push_back({sequence, Tokens(begin, begin + static_cast<std::ptrdiff_t>(size))});
      parts.push_back({others[2], tokens_of(round + 3, 1 + round % 2)});
      const auto logits = model.step(parts);
      out.insert(out.end(), logits[2].begin(), logits[2].end());
      position += size;
      ++round;
    }
    return out;
  }
};

TEST_P(BatchInvariance, OtherSequencesAndThreadsChangeNoBit) {
  const Tokens tokens = tokens_of(7, 160);
  const auto one_thread = open(1);
  const auto expected = alone(*one_thread, tokens);
  EXPECT_TRUE(same_bits(expected, among_four(*one_thread, tokens))) << "among four, one thread";
  const auto two_threads = open(2);
  EXPECT_TRUE(same_bits(expected, alone(*two_threads, tokens))) << "alone, two threads";
  EXPECT_TRUE(same_bits(expected, among_four(*two_threads, tokens))) << "among four, two threads";
}

TEST_P(BatchInvariance, WhereAPrefillIsCutChangesNoBit) {
  const auto model = open(2);
  const Tokens tokens = tokens_of(5, 600);  // so many that attention merges two splits at the end
  const auto fed = [&](const std::vector<std::size_t>& sizes) {
    const auto sequence = model->sequence(tokens.size());
    std::vector<float> out;
    for (std::size_t i = 0, position = 0; position < tokens.size(); ++i) {
      const std::size_t size = std::min(sizes[i % sizes.size()], tokens.size() - position);
      const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(position);
      const auto logits =
          model->step({{sequence, Tokens(begin, begin + static_cast<std::ptrdiff_t>(size))}});
      out.insert(out.end(), logits[0].begin(), logits[0].end());
      position += size;
    }
    model->pool().seq_release(sequence);
    return out;
  };
  EXPECT_TRUE(same_bits(fed({512}), fed({1, 2, 61, 64, 3, 87, 17, 1, 1, 128, 9})));
}

TEST_P(BatchInvariance, AForkContinuesBitExactly) {
  const auto model = open(2);
  const Tokens tokens = tokens_of(11, 140);
  const auto parent = model->sequence(tokens.size());
  model->feed(parent, std::span(tokens).first(128), 64);
  const auto child = model->pool().seq_fork(parent, 0, 128);
  ASSERT_TRUE(child);
  ASSERT_TRUE(model->pool().seq_reserve(*child, 12));
  const auto rest = std::span(tokens).subspan(128);
  const auto from_child = model->feed(*child, tokens_of(99, 5), 64);
  const auto from_parent = model->feed(parent, rest, 64);
  const auto again = model->sequence(tokens.size());
  model->feed(again, std::span(tokens).first(128), 64);
  EXPECT_TRUE(same_bits(from_parent, model->feed(again, rest, 64)));
  EXPECT_FALSE(same_bits(from_child, from_parent));
}

std::vector<Case> cases() {
  std::vector<Case> out{{"tiny-llama", "reference", "", "f32"}};
  for (const char* model : {"tiny-llama", "tiny-gemma3", "tiny-llama-q4_k_m", "tiny-qwen35-iq4_ks",
                            "tiny-qwen35moe", "tiny-qwen3moe"}) {
    for (const char* format : {"f16", "q8_0", "q4_0"}) {
      for (const std::string& isa : instruction_sets_here()) {
        out.push_back({model, "cpu_avx2", isa, format});
      }
      for (const char* backend : {"cuda_sm86_emu", "cuda_sm86"}) {
        out.push_back({model, backend, "", format});
      }
    }
  }
  return under_test(std::move(out));
}

INSTANTIATE_TEST_SUITE_P(Backends, BatchInvariance, testing::ValuesIn(cases()));

}  // namespace
}  // namespace vernal::test
