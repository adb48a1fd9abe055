#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {
namespace {

Re whole(RegexPool& pool, const std::string& text) {
  return parse_pattern(pool, text, Anchoring::kWhole).re;
}

TEST(RegexPool, KnowsEqualExpressions) {
  RegexPool pool;
  EXPECT_EQ(whole(pool, "a|b|c"), whole(pool, "[a-c]"));
  EXPECT_EQ(whole(pool, "(?:ab)c"), whole(pool, "a(?:bc)"));
  EXPECT_EQ(whole(pool, "(?:a*)*"), whole(pool, "a*"));
  EXPECT_EQ(pool.any_of(whole(pool, "a"), pool.complement(whole(pool, "a"))), kAnyText);
  EXPECT_EQ(pool.all_of(whole(pool, "a"), pool.complement(whole(pool, "a"))), kNothing);
  EXPECT_EQ(pool.complement(pool.complement(whole(pool, "ab"))), whole(pool, "ab"));
}

TEST(RegexPool, IntersectsAndComplements) {
  RegexPool pool;
  const Re both = pool.all_of(whole(pool, "[a-z]*"), whole(pool, ".{2,3}"));
  EXPECT_TRUE(pool.matches(both, U"ab"));
  EXPECT_FALSE(pool.matches(both, U"a"));
  EXPECT_FALSE(pool.matches(both, U"a1"));
  const Re neither = pool.complement(both);
  EXPECT_FALSE(pool.matches(neither, U"ab"));
  EXPECT_TRUE(pool.matches(neither, U"a1"));
}

TEST(RegexPool, FindsThatNothingMatches) {
  RegexPool pool;
  EXPECT_TRUE(pool.is_nothing(pool.all_of(whole(pool, "(?:aa)+"), whole(pool, "a(?:aa)*"))));
  EXPECT_FALSE(pool.is_nothing(pool.all_of(whole(pool, "(?:aa)+"), whole(pool, "(?:aaa)+"))));
  EXPECT_TRUE(
      pool.is_nothing(pool.all_of(whole(pool, "x.*"), pool.complement(whole(pool, "x.*")))));
}

TEST(RegexPool, StepsLeadOnlyWhereSomethingMatches) {
  RegexPool pool;
  const Re re = pool.all_of(whole(pool, "a(?:b|c)"), whole(pool, "a[^b]"));
  const Re after = pool.next(re, 'a');
  EXPECT_NE(after, kNothing);
  EXPECT_EQ(pool.next(after, 'b'), kNothing);
  EXPECT_EQ(pool.next(after, 'c'), kEmptyText);
  EXPECT_EQ(pool.next(re, 0x10FFFF), kNothing);
}

TEST(RegexPool, AThousandLiteralsAreATrie) {
  RegexPool pool;
  std::vector<std::u32string> texts;
  for (int i = 0; i < 1000; ++i) {
    texts.push_back(U"key" + std::u32string(1, static_cast<char32_t>(0x100 + i)) + U"end");
  }
  const Re re = pool.literals(texts);
  EXPECT_TRUE(pool.matches(re, texts[500]));
  EXPECT_FALSE(pool.matches(re, U"keyend"));
  const Re common = pool.next(pool.next(pool.next(re, 'k'), 'e'), 'y');
  EXPECT_EQ(pool.next(common, 0x100), pool.next(common, 0x101));
}

TEST(RegexPool, LargeCountsCostNothing) {
  RegexPool pool;
  const std::size_t before = pool.size();
  const Re re = pool.repeat(pool.any_character(), 65'000, 65'535);
  EXPECT_FALSE(pool.is_nothing(re));
  EXPECT_LT(pool.size(), before + 10);
}

TEST(RegexPool, RefusesWhatNestsTooDeeply) {
  RegexPool pool;
  Re re = whole(pool, "a");
  EXPECT_THROW(
      {
        for (int i = 0; i < 2000; ++i) {
          re = pool.complement(pool.repeat(pool.concat(re, whole(pool, "b")), 0, 5));
        }
      },
      RegexLimit);
}

}  // namespace
}  // namespace vernal::grammar
