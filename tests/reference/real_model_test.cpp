// Real models that are fed another engine's greedy answers, token by token.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

// The engines may differ only where the best logit is at most so much above the second.
constexpr double kLargestGap = 0.3;
constexpr int kLeastMatches = 310;  // of 5 prompts x 64 tokens

struct Case {
  std::string file;    // in VERNAL_MODELS_DIR
  std::string golden;  // in golden/models
};

class RealModel : public testing::TestWithParam<Case> {};

TEST_P(RealModel, AgreesWithTheReferenceWhereverItIsSure) {
  const std::filesystem::path file = std::filesystem::path(VERNAL_MODELS_DIR) / GetParam().file;
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "fetch it with tools/fetch_model.py: " << GetParam().file;
  }
  std::ifstream stream(VERNAL_GOLDEN_DIR "/models/" + GetParam().golden);
  const auto json = boost::json::parse(std::string{std::istreambuf_iterator<char>(stream), {}});
  ModelOptions options;
  options.backend = "cpu_avx2";
  options.keys = options.values = "f16";
  options.max_tokens_per_step = 128;
  ModelUnderTest model(file, options);
  int matches = 0;
  int positions = 0;
  for (const auto& run : json.at("runs").as_array()) {
    std::vector<std::int32_t> tokens;
    for (const auto& id : run.at("prompt").as_array())
      tokens.push_back(id.to_number<std::int32_t>());
    const std::size_t prompt_size = tokens.size();
    std::vector<std::int32_t> greedy;
    for (const auto& id : run.at("greedy").as_array())
      greedy.push_back(id.to_number<std::int32_t>());
    tokens.insert(tokens.end(), greedy.begin(), greedy.end() - 1);
    const vernal_sequence_id sequence = model.sequence(tokens.size());
    const auto logits = model.feed(sequence, tokens, 64);
    model.pool().seq_release(sequence);
    for (std::size_t i = 0; i < greedy.size(); ++i) {
      const auto row = std::span(logits).subspan((prompt_size - 1 + i) * model.vocabulary_size(),
                                                 model.vocabulary_size());
      const bool same = std::ranges::max_element(row) - row.begin() == greedy[i];
      const double gap = run.at("gaps").as_array().at(i).to_number<double>();
      matches += same ? 1 : 0;
      ++positions;
      EXPECT_TRUE(same || gap <= kLargestGap) << "position " << i << ", gap " << gap;
    }
  }
  std::printf("%d of %d positions\n", matches, positions);
  EXPECT_EQ(positions, 320);
  EXPECT_GE(matches, kLeastMatches);
}

INSTANTIATE_TEST_SUITE_P(
    Files, RealModel,
    testing::Values(Case{"qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                         "qwen2.5-coder-1.5b-instruct-q4_k_m.json"},
                    Case{"gemma-3-270m-q4_k_m.gguf", "gemma-3-270m-q4_k_m.json"}),
    [](const auto& info) { return info.param.file.starts_with("qwen") ? "Qwen" : "Gemma"; });

}  // namespace
}  // namespace vernal::test
