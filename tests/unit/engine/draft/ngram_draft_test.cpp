#include "engine/draft/ngram_draft.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

namespace vernal {
namespace {

std::vector<TokenId> tokens_of(std::string_view text) { return {text.begin(), text.end()}; }

std::string guess_behind(std::string_view text, std::size_t most = 4) {
  NgramDraft draft;
  draft.append(tokens_of(text));
  const auto guess = draft.guess(most).tokens;
  return {guess.begin(), guess.end()};
}

TEST(NgramDraft, TakesWhatFollowedTheSameWordsBefore) {
  EXPECT_EQ(guess_behind("the cat sat. the cat"), " sat");
  EXPECT_EQ(guess_behind("the cat sat. the dog"), "");
  EXPECT_EQ(guess_behind("the cat sat. the cat", 0), "");
}

TEST(NgramDraft, NeedsThreeEqualTokens) {
  EXPECT_EQ(guess_behind("abX abY"), "");
  EXPECT_EQ(guess_behind("abcX abc"), "X ab");
  EXPECT_EQ(guess_behind("ab"), "");
  EXPECT_EQ(guess_behind(""), "");
}

TEST(NgramDraft, PrefersTheLongestMatchThenTheLatest) {
  EXPECT_EQ(guess_behind("1abcX 2abcY 1abc", 1), "X");
  EXPECT_EQ(guess_behind("1abcX 2abcY 3abc", 1), "Y");
}

TEST(NgramDraft, GoesOnWithAPeriodBehindTheEndOfTheText) {
  EXPECT_EQ(guess_behind("....", 6), "......");
  EXPECT_EQ(guess_behind("xyzxyz", 8), "xyzxyzxy");
}

TEST(NgramDraft, SaysHowLongTheMatchIs) {
  NgramDraft draft;
  draft.append(tokens_of("..hello world, hello wor"));
  EXPECT_EQ(draft.guess(1).match, 9U);
  const std::string longer = std::string(100, 'a') + "b" + std::string(100, 'a');
  NgramDraft other;
  other.append(tokens_of(longer));
  EXPECT_EQ(other.guess(1).match, 32U) << "longer matches are not told apart";
}

TEST(NgramDraft, FindsTheSameInPiecesAsInOne) {
  std::mt19937 random(7);
  std::vector<TokenId> text(2000);
  for (TokenId& token : text) token = static_cast<TokenId>(random() % 4);
  NgramDraft pieces;
  for (std::size_t i = 0; i < text.size(); ++i) {
    pieces.append({&text[i], 1});
    if (i % 97 != 0) continue;
    NgramDraft whole;
    whole.append(std::span(text).first(i + 1));
    const auto expected = whole.guess(8);
    const auto found = pieces.guess(8);
    EXPECT_EQ(found.match, expected.match);
    EXPECT_TRUE(std::equal(found.tokens.begin(), found.tokens.end(), expected.tokens.begin(),
                           expected.tokens.end()));
  }
}

}  // namespace
}  // namespace vernal
