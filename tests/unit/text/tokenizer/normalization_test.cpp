// Unicode's normal form C, where the model file's tokenizer asks for it.
#include "text/tokenizer/normalization.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hand_made_vocabulary.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::test {
namespace {

constexpr std::string_view kDecomposed = "cafe\xCC\x81";
constexpr std::string_view kComposed = "caf\xC3\xA9";

std::string encoded_and_back(const Normalization& normalization, std::string_view text) {
  HelloVocabulary vocabulary;
  vocabulary.get().normalization = normalization;
  const Tokenizer tokenizer(vocabulary.get());
  return tokenizer.decode(tokenizer.encode(text, {.parse_special = true}));
}

TEST(Normalization, IsWhatTheTokenizerDocumentSays) {
  EXPECT_TRUE(read_normalization(R"({"normalizer": {"type": "NFC"}})").composes);
  EXPECT_TRUE(read_normalization(R"({"normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Prepend", "prepend": "x"}, {"type": "NFC"}]}})")
                  .composes);
  for (const char* document :
       {"", "{}", "[", "7", R"({"normalizer": null})", R"({"normalizer": {"type": 5}})",
        R"({"normalizer": {"type": "Replace"}})"}) {
    const Normalization found = read_normalization(document);
    EXPECT_FALSE(found.composes) << document;
    EXPECT_EQ(found.unknown_step, "") << document;
  }
  EXPECT_EQ(read_normalization(R"({"normalizer": {"type": "Lowercase"}})").unknown_step,
            "Lowercase");
}

TEST(Normalization, KeepsBytesWhereTheFileDoesNotSay) {
  EXPECT_EQ(encoded_and_back({}, kDecomposed), kDecomposed);
}

TEST(Normalization, ComposesWhereTheFileAsksForIt) {
  const Normalization composing{true, {}};
  EXPECT_EQ(encoded_and_back(composing, kDecomposed), kComposed);
  EXPECT_EQ(encoded_and_back(composing, std::string(kDecomposed) + "<|im_end|>hello"),
            std::string(kComposed) + "<|im_end|>hello");
  EXPECT_EQ(encoded_and_back(composing, kComposed), kComposed);
  EXPECT_EQ(encoded_and_back(composing, "plain hello"), "plain hello");
  EXPECT_EQ(encoded_and_back(composing, "e\xCC\x81 \xFF"), "e\xCC\x81 \xFF");  // no UTF-8
}

TEST(Normalization, WarnsOfAStepThatIsNotDone) {
  HelloVocabulary vocabulary;
  vocabulary.get().normalization.unknown_step = "Lowercase";
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.warnings(), testing::ElementsAre(testing::HasSubstr("Lowercase")));
}

}  // namespace
}  // namespace vernal::test
