#include "text/tokenizer/detokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "hand_made_vocabulary.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::test {
namespace {

using testing::ElementsAre;

// A vocabulary of the 256 bytes (sentence piece, so that a byte is a token) and one control token.
class ByteDetokenizer : public testing::Test {
 protected:
  ByteDetokenizer() : vocabulary_(TokenizerModel::kSentencePiece), tokenizer_(fill(vocabulary_)) {}

  // The text for each byte of `bytes`, and at last the text of flush().
  std::vector<std::string> stream(std::string_view bytes) const {
    Detokenizer detokenizer(tokenizer_);
    std::vector<std::string> pieces;
    for (const char byte : bytes) {
      pieces.push_back(detokenizer.push(static_cast<std::uint8_t>(byte)));
    }
    pieces.push_back(detokenizer.flush());
    return pieces;
  }

  HandMadeVocabulary vocabulary_;
  Tokenizer tokenizer_;

 private:
  static const Vocabulary& fill(HandMadeVocabulary& vocabulary) {
    vocabulary.add_byte_tokens();
    vocabulary.add("<s>", TokenType::kControl);
    vocabulary.add("[x]", TokenType::kUserDefined);
    return vocabulary.get();
  }
};

TEST_F(ByteDetokenizer, HandsOutAsciiAtOnce) {
  EXPECT_THAT(stream("ab"), ElementsAre("a", "b", ""));
}

TEST_F(ByteDetokenizer, HoldsBackUntilTheCharacterIsWhole) {
  EXPECT_THAT(stream("é"), ElementsAre("", "é", ""));
  EXPECT_THAT(stream("€"), ElementsAre("", "", "€", ""));
  EXPECT_THAT(stream("😀a"), ElementsAre("", "", "", "😀", "a", ""));
}

TEST_F(ByteDetokenizer, ReplacesBytesThatCannotBecomeACharacter) {
  EXPECT_THAT(stream("\xFF"), ElementsAre("\uFFFD", ""));
  EXPECT_THAT(stream("\x80"), ElementsAre("\uFFFD", ""));
  EXPECT_THAT(stream("\xC3"
                     "a"),
              ElementsAre("",
                          "\uFFFD"
                          "a",
                          ""));
  EXPECT_THAT(stream("\xE2\x82\xE2\x82\xAC"), ElementsAre("", "", "\uFFFD", "", "€", ""));
  EXPECT_THAT(stream("\xC0\xAF"), ElementsAre("\uFFFD", "\uFFFD", ""));
  EXPECT_THAT(stream("\xED\xA0\x80"), ElementsAre("", "\uFFFD\uFFFD", "\uFFFD", ""));
  EXPECT_THAT(stream("\xF4\x90"), ElementsAre("", "\uFFFD\uFFFD", ""));
}

TEST_F(ByteDetokenizer, ReplacesAnIncompleteEnd) {
  EXPECT_THAT(stream("\xC3"), ElementsAre("", "\uFFFD"));
  EXPECT_THAT(stream("a\xF0\x9F\x98"), ElementsAre("a", "", "", "", "\uFFFD"));
}

TEST_F(ByteDetokenizer, BeginsAnewAfterFlush) {
  Detokenizer detokenizer(tokenizer_);
  EXPECT_EQ(detokenizer.push(0xE2), "");
  EXPECT_EQ(detokenizer.pending(), "\xE2");
  EXPECT_EQ(detokenizer.flush(), "\uFFFD");
  EXPECT_EQ(detokenizer.pending(), "");
  EXPECT_EQ(detokenizer.push('a'), "a");
}

TEST_F(ByteDetokenizer, SkipsControlTokensUnlessAskedForThem) {
  Detokenizer skipping(tokenizer_);
  EXPECT_EQ(skipping.push(256), "");
  EXPECT_EQ(skipping.push(257), "[x]");
  Detokenizer showing(tokenizer_, false);
  EXPECT_EQ(showing.push(256), "<s>");
}

TEST_F(ByteDetokenizer, KeepsACharacterTogetherAcrossASkippedToken) {
  Detokenizer detokenizer(tokenizer_);
  EXPECT_EQ(detokenizer.push(0xC3), "");
  EXPECT_EQ(detokenizer.push(256), "");
  EXPECT_EQ(detokenizer.push(0xA9), "é");
}

TEST_F(ByteDetokenizer, IgnoresIdsOutsideTheVocabulary) {
  Detokenizer detokenizer(tokenizer_);
  EXPECT_EQ(detokenizer.push(-1), "");
  EXPECT_EQ(detokenizer.push(1'000'000), "");
}

}  // namespace
}  // namespace vernal::test
