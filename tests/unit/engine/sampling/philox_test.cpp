#include "engine/sampling/philox.hpp"

#include <gtest/gtest.h>

#include <set>

namespace vernal {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_EQ(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(
      philox4x32_10({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
      (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(Philox, DrawsNumbersBelowOneThatDifferInEveryPartOfTheCounter) {
  std::set<double> seen;
  double sum = 0.0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    for (const DrawCounter counter :
         {DrawCounter{i + 1, 0, 0}, DrawCounter{0, i + 1, 0}, DrawCounter{0, 0, i + 1}}) {
      const double number = uniform_draw(7, counter);
      EXPECT_GE(number, 0.0);
      EXPECT_LT(number, 1.0);
      seen.insert(number);
      sum += number;
    }
  }
  EXPECT_EQ(seen.size(), 3000U);
  EXPECT_NEAR(sum / 3000.0, 0.5, 0.02);
  EXPECT_NE(uniform_draw(1, {}), uniform_draw(1ULL << 32U, {}));
}

}  // namespace
}  // namespace vernal
