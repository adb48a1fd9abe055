// The vocabularies of model files: of two real models, and of small models whose vocabularies were
// cut.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "golden_cases.hpp"
#include "model/gguf_file.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal::test {
namespace {

std::optional<std::filesystem::path> find_model(const std::string& name) {
  for (const std::filesystem::path folder : {VERNAL_MODEL_DIR, VERNAL_SHARED_MODEL_DIR}) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  return std::nullopt;
}

struct RealModel {
  std::string golden;
  std::string file;
};

class RealModelTokenizer : public testing::TestWithParam<RealModel> {};

TEST_P(RealModelTokenizer, EncodesAndDecodesAsTheReferenceDoes) {
  const auto path = find_model(GetParam().file);
  if (!path) GTEST_SKIP() << GetParam().file << " is not in " << VERNAL_MODEL_DIR;
  const GgufFile file = GgufFile::open(*path);
  const Vocabulary vocabulary = read_vocabulary(file);
  const Tokenizer tokenizer(vocabulary);

  const auto cases = read_golden_cases(std::filesystem::path(VERNAL_GOLDEN_DIR) / "tokenizers" /
                                       (GetParam().golden + ".json"));
  ASSERT_EQ(cases.size(), 400U);
  expect_golden_cases(tokenizer, cases);
  expect_bytes_of_vocabulary(tokenizer, vocabulary);
  EXPECT_TRUE(tokenizer.warnings().empty());
}

INSTANTIATE_TEST_SUITE_P(Models, RealModelTokenizer,
                         testing::Values(RealModel{"qwen2",
                                                   "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"},
                                         RealModel{"gemma3", "gemma-3-270m-q4_k_m.gguf"}),
                         [](const auto& info) { return info.param.golden; });

class SmallModelTokenizer : public testing::TestWithParam<std::string> {};

TEST_P(SmallModelTokenizer, EncodesThePromptsOfTheReference) {
  const auto folder = std::filesystem::path(VERNAL_REFERENCE_DIR) / "models";
  const auto path = folder / (GetParam() + ".gguf");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const GgufFile file = GgufFile::open(path);
  const Vocabulary vocabulary = read_vocabulary(file);
  const Tokenizer tokenizer(vocabulary);

  for (const GoldenCase& golden : read_golden_prompts(folder / (GetParam() + ".json"))) {
    SCOPED_TRACE("text: " + golden.text);
    const auto tokens = tokenizer.encode(golden.text, {.parse_special = true, .add_special = true});
    EXPECT_EQ(tokens, golden.plain);
  }
  expect_bytes_of_vocabulary(tokenizer, vocabulary);
}

INSTANTIATE_TEST_SUITE_P(Models, SmallModelTokenizer,
                         testing::Values("tiny-llama", "tiny-qwen2", "tiny-qwen3", "tiny-gemma3",
                                         "tiny-qwen35", "tiny-qwen3moe", "tiny-llama-q4_k_m"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace vernal::test
