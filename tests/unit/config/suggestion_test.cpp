#include "config/suggestion.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace vernal {
namespace {

constexpr std::array<std::string_view, 4> kKeys = {"context_length", "kv_tokens", "slots", "path"};

TEST(Suggestion, FindsTheNearestName) {
  EXPECT_EQ(nearest_name("context_lenght", kKeys), "context_length");
  EXPECT_EQ(nearest_name("Slots", kKeys), "slots");
  EXPECT_EQ(nearest_name("slot", kKeys), "slots");
  EXPECT_EQ(nearest_name("pth", kKeys), "path");
}

TEST(Suggestion, FindsANameThatHoldsTheWord) {
  EXPECT_EQ(nearest_name("tokens", kKeys), "kv_tokens");
  EXPECT_EQ(nearest_name("max_context_length", kKeys), "context_length");
}

TEST(Suggestion, StaysSilentAboutStrangers) {
  EXPECT_EQ(nearest_name("temperature", kKeys), "");
  EXPECT_EQ(nearest_name("", kKeys), "");
  EXPECT_EQ(nearest_name("anything", {}), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'a'), kKeys), "");
}

TEST(Suggestion, TakesTheFirstOfEquals) {
  constexpr std::array<std::string_view, 2> kNames = {"keys_a", "keys_b"};
  EXPECT_EQ(nearest_name("keys_c", kNames), "keys_a");
}

TEST(Suggestion, IsASentenceOrNothing) {
  EXPECT_EQ(did_you_mean("slot", kKeys), "; did you mean \"slots\"?");
  EXPECT_EQ(did_you_mean("zzz", kKeys), "");
}

}  // namespace
}  // namespace vernal
