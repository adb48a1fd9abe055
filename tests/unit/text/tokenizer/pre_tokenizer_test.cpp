#include "text/tokenizer/pre_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace vernal::test {
namespace {

using testing::ElementsAre;

std::vector<std::string> words_of(std::string_view rules, std::string_view text) {
  std::vector<std::string> words;
  WordScanner scanner(find_pre_tokenizer(rules), text);
  while (!scanner.at_end()) words.emplace_back(scanner.next());
  return words;
}

TEST(PreTokenizer, KeepsASpaceWithTheWordAfterIt) {
  for (const char* rules : {"qwen2", "qwen35", "llama-bpe", "gpt-2"}) {
    EXPECT_THAT(words_of(rules, "the quick  fox "), ElementsAre("the", " quick", " ", " fox", " "));
  }
}

TEST(PreTokenizer, CutsContractions) {
  EXPECT_THAT(words_of("qwen2", "it's WE'LL don't'x"),
              ElementsAre("it", "'s", " WE", "'LL", " don", "'t", "'x"));
  EXPECT_THAT(words_of("gpt-2", "it's WE'LL"), ElementsAre("it", "'s", " WE", "'", "LL"));
  EXPECT_THAT(words_of("llama-bpe", "'r 're '"), ElementsAre("'r", " '", "re", " '"));
}

TEST(PreTokenizer, CutsNumbersAsTheFamilyDoes) {
  EXPECT_THAT(words_of("qwen2", " 1234"), ElementsAre(" ", "1", "2", "3", "4"));
  EXPECT_THAT(words_of("llama-bpe", " 1234"), ElementsAre(" ", "123", "4"));
  EXPECT_THAT(words_of("gpt-2", " 1234"), ElementsAre(" 1234"));
}

TEST(PreTokenizer, EndsWhiteSpaceAtItsLastLineBreak) {
  EXPECT_THAT(words_of("qwen2", "a \n \r\n  b"), ElementsAre("a", " \n \r\n", " ", " b"));
  EXPECT_THAT(words_of("gpt-2", "a\n\n  b"), ElementsAre("a", "\n\n ", " b"));
  EXPECT_THAT(words_of("qwen2", "\n\n"), ElementsAre("\n\n"));
}

TEST(PreTokenizer, KeepsLineBreaksWithTheSymbolsBeforeThem) {
  EXPECT_THAT(words_of("qwen2", "f(); \n{}\n\n x"), ElementsAre("f", "();", " \n", "{}\n\n", " x"));
  EXPECT_THAT(words_of("gpt-2", "{}\nx"), ElementsAre("{}", "\n", "x"));
}

TEST(PreTokenizer, LetsOneSymbolLeadAWord) {
  EXPECT_THAT(words_of("qwen2", "(foo) _bar"), ElementsAre("(foo", ")", " _", "bar"));
  EXPECT_THAT(words_of("gpt-2", "(foo"), ElementsAre("(", "foo"));
  EXPECT_THAT(words_of("qwen2", "\tfoo"), ElementsAre("\tfoo"));
}

TEST(PreTokenizer, JoinsMarksToLettersOnlyForQwen35) {
  const std::string text = "e\u0301e";
  EXPECT_THAT(words_of("qwen35", text), ElementsAre(text));
  EXPECT_THAT(words_of("qwen2", text), ElementsAre("e", "\u0301e"));
  EXPECT_THAT(words_of("qwen35", "!\u0301!"), ElementsAre("!\u0301", "!"));
  EXPECT_THAT(words_of("qwen2", "!\u0301!"), ElementsAre("!\u0301!"));
}

TEST(PreTokenizer, KnowsTheWhiteSpaceOfUnicode) {
  EXPECT_THAT(words_of("qwen2", "a\u3000\u00A0\u0085b"),
              ElementsAre("a", "\u3000\u00A0", "\u0085b"));
  EXPECT_THAT(words_of("qwen2", "1\u20282"), ElementsAre("1", "\u2028", "2"));
}

TEST(PreTokenizer, TakesBytesThatAreNoUtf8ForSymbols) {
  EXPECT_THAT(words_of("qwen2", "1\xFF\xC3!2"), ElementsAre("1", "\xFF\xC3!", "2"));
  EXPECT_THAT(words_of("gpt-2", " \xE2\x82"), ElementsAre(" \xE2\x82"));
}

TEST(PreTokenizer, KnowsTheNamesOfModelsThatShareRules) {
  EXPECT_EQ(find_pre_tokenizer("deepseek-r1-qwen").max_digits, 1U);
  for (const char* name : {"llama3", "llama-v3", "llama-bpe"}) {
    EXPECT_TRUE(find_pre_tokenizer(name).ignores_merges);
    EXPECT_TRUE(find_pre_tokenizer(name).adds_bos);
  }
  EXPECT_EQ(find_pre_tokenizer("smaug-bpe").max_digits, 3U);
  EXPECT_FALSE(find_pre_tokenizer("smaug-bpe").ignores_merges);
  EXPECT_TRUE(find_pre_tokenizer("gpt-2").is_known);
  EXPECT_FALSE(find_pre_tokenizer("").is_known);
  EXPECT_FALSE(find_pre_tokenizer("qwen").is_known);
}

}  // namespace
}  // namespace vernal::test
