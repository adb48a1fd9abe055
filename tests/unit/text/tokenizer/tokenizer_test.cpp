#include "text/tokenizer/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "hand_made_vocabulary.hpp"

namespace vernal::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BytePairTokenizer, MergesTheMostImportantPairFirst) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("hello"), ElementsAre(259));
  EXPECT_THAT(tokenizer.encode("helo"), ElementsAre(256, 'l', 'o'));
  EXPECT_THAT(tokenizer.encode("hello w"), ElementsAre(259, 260));
}

TEST(BytePairTokenizer, PrefersTheLeftmostOfEqualPairs) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("lll"), ElementsAre(257, 'l'));
}

TEST(BytePairTokenizer, EncodesNothingAsNothing) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_EQ(tokenizer.decode({}), "");
}

TEST(BytePairTokenizer, ParsesControlTokensOnlyWhenAsked) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  const auto parsed = tokenizer.encode("hello<|im_end|>hello", {.parse_special = true});
  EXPECT_THAT(parsed, ElementsAre(259, 261, 259));
  EXPECT_EQ(tokenizer.decode(parsed), "hello<|im_end|>hello");
  EXPECT_EQ(tokenizer.decode(parsed, true), "hellohello");

  const auto plain = tokenizer.encode("hello<|im_end|>hello");
  EXPECT_THAT(plain, testing::Not(testing::Contains(261)));
  EXPECT_EQ(tokenizer.decode(plain, true), "hello<|im_end|>hello");
}

TEST(BytePairTokenizer, NeverMakesAControlTokenOfPlainTextEvenThroughMerges) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.get().pre_tokenizer = "llama-bpe";  // which also looks up whole words
  vocabulary.add_byte_alphabet();
  const TokenId control = vocabulary.add("ab", TokenType::kControl);
  vocabulary.add_merge("a b");
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("ab"), ElementsAre('a', 'b'));
  EXPECT_THAT(tokenizer.encode("ab", {.parse_special = true}), ElementsAre(control));
}

TEST(BytePairTokenizer, FindsUserDefinedTokensInAnyText) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("hello[tool]hello"), ElementsAre(259, 262, 259));
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{262}, true), "[tool]");
  EXPECT_FALSE(tokenizer.is_special(262));
}

TEST(BytePairTokenizer, TakesTheLongestOfSpecialTokensThatBeginTogether) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.add_byte_alphabet();
  const TokenId two = vocabulary.add("\n\n", TokenType::kUserDefined);
  const TokenId three = vocabulary.add("\n\n\n", TokenType::kUserDefined);
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("\n\n\n\n\n"), ElementsAre(three, two));
}

TEST(BytePairTokenizer, GoesThroughPiecesThatAreNoTokens) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.add_byte_alphabet();
  const TokenId abc = vocabulary.add("abc");
  vocabulary.add_merge("a b");  // "ab" is no token
  vocabulary.add_merge("ab c");
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("abc"), ElementsAre(abc));
  EXPECT_THAT(tokenizer.encode("abd"), ElementsAre('a', 'b', 'd'));
}

TEST(BytePairTokenizer, KeepsBytesThatAreNoUtf8) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  for (const std::string text : {"\xFF", "hello\xC3", "\xE2\x82", "\xED\xA0\x80", "a\xF0\x9F\x98w",
                                 "\x80\x80hello", "\xC0\xAF"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST(BytePairTokenizer, KeepsZeroBytes) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  const std::string text("a\0b", 3);
  EXPECT_EQ(tokenizer.encode(text).size(), 3U);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(BytePairTokenizer, WritesTheUnknownTokenForBytesWithoutOne) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.add("a");
  const Tokenizer without(vocabulary.get());
  EXPECT_THAT(without.encode("ab"), ElementsAre(0));
  vocabulary.get().unknown = vocabulary.add("<unk>", TokenType::kUnknown);
  const Tokenizer with(vocabulary.get());
  EXPECT_THAT(with.encode("ab"), ElementsAre(0, 1));
}

TEST(BytePairTokenizer, PutsBosAndEosWhereTheVocabularyAsksForThem) {
  HelloVocabulary vocabulary;
  vocabulary.get().bos = 262;
  vocabulary.get().add_bos = true;
  const Tokenizer bos_only(vocabulary.get());
  EXPECT_THAT(bos_only.encode("hello", {.add_special = true}), ElementsAre(262, 259));
  EXPECT_THAT(bos_only.encode("hello"), ElementsAre(259));
  vocabulary.get().add_eos = true;
  const Tokenizer both(vocabulary.get());
  EXPECT_THAT(both.encode("", {.add_special = true}), ElementsAre(262, 261));
}

TEST(BytePairTokenizer, WarnsOfAnUnknownPreTokenizer) {
  HelloVocabulary vocabulary;
  vocabulary.get().pre_tokenizer = "no such name";
  const Tokenizer tokenizer(vocabulary.get());
  ASSERT_EQ(tokenizer.warnings().size(), 1U);
  EXPECT_THAT(tokenizer.warnings()[0], testing::HasSubstr("gpt-2"));
}

TEST(SentencePieceTokenizer, MergesTheHighestScoreFirst) {
  HeyVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  const TokenId hey = tokenizer.find_token("hey");
  // " h" + "e" is never merged: "he" has the higher score, so the space stays alone until "hey" is
  // made.
  EXPECT_THAT(tokenizer.encode("hey"), ElementsAre(tokenizer.find_token(" hey")));
  EXPECT_THAT(tokenizer.encode("heyhey"), ElementsAre(tokenizer.find_token(" hey"), hey));
}

TEST(SentencePieceTokenizer, AddsASpaceThatDecodingDropsAgain) {
  HeyVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  for (const std::string text : {"hey", " hey", "  hey", "hey ", "", " ", "h e y", "\they"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST(SentencePieceTokenizer, AddsTheSpaceAgainAfterEachSpecialToken) {
  HeyVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  const TokenId hey = tokenizer.find_token(" hey");
  const auto tokens = tokenizer.encode("hey</s>hey", {.parse_special = true, .add_special = true});
  EXPECT_THAT(tokens, ElementsAre(1, hey, 2, hey));
  EXPECT_EQ(tokenizer.decode(tokens), "<s>hey</s>hey");
  EXPECT_EQ(tokenizer.decode(tokens, true), "heyhey");
}

TEST(SentencePieceTokenizer, LeavesTheSpaceOutWhereTheVocabularyDoes) {
  HeyVocabulary vocabulary;
  vocabulary.get().add_space_prefix = false;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("hey"), ElementsAre(tokenizer.find_token("hey")));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(" hey")), " hey");
}

TEST(SentencePieceTokenizer, FallsBackToBytes) {
  HeyVocabulary vocabulary;
  vocabulary.get().add_space_prefix = false;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("é"), ElementsAre(3 + 0xC3, 3 + 0xA9));
  EXPECT_THAT(tokenizer.encode("\xFF"), ElementsAre(3 + 0xFF));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("é\xFF hey\xE2\x82")), "é\xFF hey\xE2\x82");
}

TEST(SentencePieceTokenizer, DoesNotTakeTheWrittenSpaceForASpace) {
  HeyVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("hey▁hey")), "hey▁hey");
}

TEST(SentencePieceTokenizer, DoesNotReadTheTextsOfByteTokens) {
  HeyVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  const auto tokens = tokenizer.encode("<0x41>");
  EXPECT_EQ(tokens.size(), 7U);
  EXPECT_EQ(tokenizer.decode(tokens), "<0x41>");
}

TEST(SentencePieceTokenizer, MergesAcrossSpacesWhereTheVocabularyHasSuchTokens) {
  HeyVocabulary vocabulary;
  vocabulary.get().add_space_prefix = false;
  vocabulary.add("y▁", TokenType::kNormal, 5.0F);
  const TokenId across = vocabulary.add("y▁h", TokenType::kNormal, 4.0F);
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("y h"), ElementsAre(across));
}

TEST(SentencePieceTokenizer, OrdersScoresOfAnySign) {
  HandMadeVocabulary vocabulary(TokenizerModel::kSentencePiece);
  for (const char* text : {"a", "b", "c"}) vocabulary.add(text);
  const TokenId ab = vocabulary.add("ab", TokenType::kNormal, -0.5F);
  const TokenId bc = vocabulary.add("bc", TokenType::kNormal, 0.25F);
  EXPECT_THAT(Tokenizer(vocabulary.get()).encode("abc"), ElementsAre(0, bc));
  vocabulary.get().tokens[static_cast<std::size_t>(ab)].score = 1e30F;
  EXPECT_THAT(Tokenizer(vocabulary.get()).encode("abc"), ElementsAre(ab, 2));
  vocabulary.get().tokens[static_cast<std::size_t>(ab)].score = -0.0F;
  vocabulary.get().tokens[static_cast<std::size_t>(bc)].score = 0.0F;
  EXPECT_THAT(Tokenizer(vocabulary.get()).encode("abc"), ElementsAre(ab, 2));
}

TEST(Tokenizer, EndsGenerationAtTokensThatTheTextsName) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.add_byte_alphabet();
  const TokenId im_end = vocabulary.add("<|im_end|>", TokenType::kControl);
  const TokenId end_of_text = vocabulary.add("<|endoftext|>", TokenType::kNormal);
  const TokenId fim_pad = vocabulary.add("<|fim_pad|>", TokenType::kControl);
  vocabulary.add("<|fim_prefix|>", TokenType::kControl);
  const TokenId s = vocabulary.add("</s>", TokenType::kNormal);
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.end_of_generation(), ElementsAre(im_end, end_of_text, fim_pad));
  EXPECT_TRUE(tokenizer.is_end_of_generation(im_end));
  EXPECT_FALSE(tokenizer.is_end_of_generation(s));
  EXPECT_TRUE(tokenizer.is_control(end_of_text)) << "its text makes it one";
  EXPECT_TRUE(tokenizer.is_control(s));

  vocabulary.get().eos = s;
  vocabulary.get().eot = 65;
  const Tokenizer with_ids(vocabulary.get());
  EXPECT_THAT(with_ids.end_of_generation(), ElementsAre(65, im_end, end_of_text, fim_pad, s));
}

TEST(Tokenizer, GoesOnAfterTheEndOfAMessageWhereAnswersHaveSeveral) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  const TokenId end = vocabulary.add("<|end|>", TokenType::kControl);
  EXPECT_TRUE(Tokenizer(vocabulary.get()).is_end_of_generation(end));
  vocabulary.add("<|return|>", TokenType::kControl);
  vocabulary.add("<|call|>", TokenType::kControl);
  EXPECT_THAT(Tokenizer(vocabulary.get()).end_of_generation(), ElementsAre(1, 2));
}

TEST(Tokenizer, AnswersForIdsOutsideTheVocabulary) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  for (const TokenId id : {-1, 263, 1 << 30, INT32_MIN}) {
    EXPECT_FALSE(tokenizer.contains(id));
    EXPECT_EQ(tokenizer.token_bytes(id), "");
    EXPECT_FALSE(tokenizer.is_control(id));
    EXPECT_FALSE(tokenizer.is_special(id));
    EXPECT_FALSE(tokenizer.is_end_of_generation(id));
    EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{id, 259}), "hello");
  }
}

TEST(Tokenizer, FindsTokensByText) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_EQ(tokenizer.find_token("<|im_end|>"), 261);
  EXPECT_EQ(tokenizer.find_token("[tool]"), 262);
  EXPECT_EQ(tokenizer.find_token(" w"), 260);
  EXPECT_EQ(tokenizer.find_token(""), kNoToken);
  EXPECT_EQ(tokenizer.find_token("nowhere"), kNoToken);
}

TEST(Tokenizer, TakesTheLowestIdOfTokensWithTheSameText) {
  HelloVocabulary vocabulary;
  vocabulary.add("hello");
  vocabulary.add("[tool]", TokenType::kUserDefined);
  const Tokenizer tokenizer(vocabulary.get());
  EXPECT_THAT(tokenizer.encode("hello[tool]"), ElementsAre(259, 262));
}

TEST(Tokenizer, ServesSeveralThreadsAtOnce) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  std::vector<std::vector<TokenId>> results(4);
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (auto& result : results) {
    threads.emplace_back([&tokenizer, &result] {
      for (int i = 0; i < 100; ++i) result = tokenizer.encode("hello w[tool]", {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_THAT(result, ElementsAre(259, 260, 262));
}

}  // namespace
}  // namespace vernal::test
