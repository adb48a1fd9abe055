// 400 texts for each of three vocabularies become the tokens that other engines make of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "golden_cases.hpp"
#include "model/gguf_file.hpp"
#include "text/tokenizer/detokenizer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal::test {
namespace {

class GoldenTokenizer : public testing::TestWithParam<std::string> {
 protected:
  GoldenTokenizer()
      : folder_(std::filesystem::path(VERNAL_GOLDEN_DIR) / "tokenizers"),
        file_(GgufFile::open(folder_ / ("ggml-vocab-" + GetParam() + ".gguf"))),
        vocabulary_(read_vocabulary(file_)),
        tokenizer_(vocabulary_),
        cases_(read_golden_cases(folder_ / (GetParam() + ".json"))) {}

  std::filesystem::path folder_;
  GgufFile file_;
  Vocabulary vocabulary_;
  Tokenizer tokenizer_;
  std::vector<GoldenCase> cases_;
};

TEST_P(GoldenTokenizer, EncodesAndDecodesAsTheReferenceDoes) {
  ASSERT_EQ(cases_.size(), 400U);
  expect_golden_cases(tokenizer_, cases_);
}

TEST_P(GoldenTokenizer, GivesEveryTokenTheBytesOfTheVocabulary) {
  expect_bytes_of_vocabulary(tokenizer_, vocabulary_);
}

TEST_P(GoldenTokenizer, HasNothingToWarnAbout) { EXPECT_TRUE(tokenizer_.warnings().empty()); }

TEST_P(GoldenTokenizer, StreamsTheSameTextThatDecodesAtOnce) {
  for (const GoldenCase& golden : cases_) {
    Detokenizer detokenizer(tokenizer_, false);
    std::string text;
    for (const TokenId id : golden.plain) text += detokenizer.push(id);
    text += detokenizer.flush();
    const std::string prefix = tokenizer_.has_space_prefix() ? " " : "";
    EXPECT_EQ(text, prefix + golden.text);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GoldenTokenizer,
                         testing::Values("qwen35", "llama-bpe", "llama-spm"), [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace vernal::test
