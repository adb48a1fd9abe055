#include "engine/answer/stop_matcher.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vernal {
namespace {

using Strings = std::vector<std::string>;

TEST(StopMatcher, PassesEverythingWithoutStopStrings) {
  const Strings stops;
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("abc"), "abc");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopMatcher, FindsAStringThatComesInSeveralPieces) {
  const Strings stops = {"END"};
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("one E"), "one ");
  EXPECT_EQ(matcher.push("N"), "");
  EXPECT_EQ(matcher.push("D two"), "");
  EXPECT_EQ(matcher.found(), "END");
  EXPECT_EQ(matcher.push("more"), "");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopMatcher, ReleasesWhatTurnsOutToBeNoStopString) {
  const Strings stops = {"aab"};
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("aa"), "");
  EXPECT_EQ(matcher.push("a"), "a");
  EXPECT_EQ(matcher.push("c"), "aac");
  EXPECT_EQ(matcher.push("a"), "");
  EXPECT_EQ(matcher.flush(), "a");
  EXPECT_FALSE(matcher.found());
}

TEST(StopMatcher, TakesTheFirstStringAndOfThoseTheLongest) {
  const Strings stops = {"bc", "bcd", "d"};
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("abcd"), "a");
  EXPECT_EQ(matcher.found(), "bcd");
}

TEST(StopMatcher, GivesTheSameTextHoweverItIsCut) {
  const Strings stops = {"aba", "bb"};
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += "abc"[random() % 3];
    std::size_t expected = std::min(text.find("aba"), text.find("bb"));
    expected = std::min(expected, text.size());
    StopMatcher matcher(stops);
    std::string seen;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = 1 + random() % 4;
      seen += matcher.push(std::string_view(text).substr(at, length));
      at += length;
    }
    seen += matcher.flush();
    EXPECT_EQ(matcher.found().has_value(), expected < text.size()) << text;
    EXPECT_EQ(seen, text.substr(0, expected)) << text;
  }
}

}  // namespace
}  // namespace vernal
