#include "vernal/frontend/model_names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vernal {
namespace {

TEST(NamePattern, StandsForAnyTextInThePlaceOfEachStar) {
  const std::pair<std::string, std::string> matching[] = {
      {"claude-*", "claude-opus-4-1"},
      {"claude-*", "claude-"},
      {"*", ""},
      {"*", "anything"},
      {"*-haiku", "claude-haiku"},
      {"claude-*haiku*", "claude-3-5-haiku-latest"},
      {"a*b*c", "abc"},
      {"a*b*c", "aXbYbZc"},
      {"*ab", "aab"},
      {"a*a", "aa"},
      {"*aba*", "ababa"},
      {"plain", "plain"},
  };
  for (const auto& [pattern, name] : matching) {
    EXPECT_TRUE(matches_name_pattern(pattern, name)) << pattern << " " << name;
  }
  const std::pair<std::string, std::string> other[] = {
      {"claude-*", "claude"}, {"claude-*", "Claude-opus"},
      {"*-haiku", "haiku"},   {"a*b*c", "acb"},
      {"a*a", "a"},           {"ab*ba", "aba"},
      {"plain", "plain2"},    {"a*b", "ab "},
      {"*aba*", "abba"},
  };
  for (const auto& [pattern, name] : other) {
    EXPECT_FALSE(matches_name_pattern(pattern, name)) << pattern << " " << name;
  }
}

TEST(NamePattern, StandsForNoNameWithoutBound) {
  EXPECT_TRUE(matches_name_pattern("*", std::string(kLongestMatchedName, 'a')));
  EXPECT_FALSE(matches_name_pattern("*", std::string(kLongestMatchedName + 1, 'a')));
}

std::string best_of(std::string_view wanted, const std::vector<std::string>& names) {
  std::string best;
  NameSearch search(wanted);
  for (const std::string& name : names) {
    if (search.offer(name)) best = name;
  }
  return best;
}

TEST(NameSearch, TakesTheSameNameBeforeEveryPattern) {
  EXPECT_EQ(best_of("claude-x", {"claude-*", "claude-x", "*claude-x*"}), "claude-x");
  EXPECT_EQ(best_of("claude-*", {"*claude-**", "claude-*"}), "claude-*");
}

TEST(NameSearch, TakesThePatternWithMostCharacters) {
  EXPECT_EQ(best_of("claude-haiku-4", {"*", "claude-*", "claude-*haiku*", "c*"}), "claude-*haiku*");
  EXPECT_EQ(best_of("ab", {"a*", "*b"}), "a*") << "of equal ones the first";
  EXPECT_EQ(best_of("ab", {"*"}), "*");
  EXPECT_EQ(best_of("ab", {"x*", "b"}), "");
}

}  // namespace
}  // namespace vernal
