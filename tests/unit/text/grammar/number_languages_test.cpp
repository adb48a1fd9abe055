#include "text/grammar/regex/number_languages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {
namespace {

const std::vector<std::string> kNumbers = {
    "0",     "-0",    "0.0",    "1",     "-1",     "9",    "10",      "11",     "99",     "100",
    "0.5",   "0.05",  "0.049",  "0.051", "-0.05",  "12.5", "12.49",   "12.50",  "12.501", "-12.5",
    "123",   "1e2",   "1.5e-2", "5e-2",  "5.0e-2", "1e1",  "1.25e1",  "1.3e+1", "-1e0",   "-1.25e1",
    "1e-07", "1e+16", "9.99e9", "1e300", "0.1",    "0.10", "1000000", "999999", "2.50e0", "1.0"};

const std::vector<std::string> kBounds = {"0",     "1",       "-1",   "0.05", "12.5",
                                          "-12.5", "100",     "1e-7", "0.1",  "10000000000000000",
                                          "-0.05", "999999.5"};

TEST(NumberBounds, CompareAsDecimalsDo) {
  RegexPool pool;
  NumberBounds bounds;
  const std::uint32_t language = pool.add_language(bounds);
  for (const std::string& bound : kBounds) {
    const Decimal value = *parse_decimal(bound);
    for (const std::uint8_t wanted : {kLess, kEqual, kGreater}) {
      const Re re = pool.leaf(language, bounds.start(value, wanted));
      for (const std::string& number : kNumbers) {
        const int compared = compare(*parse_decimal(number), value);
        const std::uint8_t bit = compared < 0 ? kLess : compared > 0 ? kGreater : kEqual;
        EXPECT_EQ(pool.matches(re, to_code_points(number)), bit == wanted)
            << number << " beside " << bound;
      }
    }
  }
}

TEST(NumberBounds, OfferNoSpellingThatIsNoJson) {
  RegexPool pool;
  NumberBounds bounds;
  const std::uint32_t language = pool.add_language(bounds);
  const Re any = pool.leaf(language, bounds.start({}, kLess | kEqual | kGreater));
  for (const char* text : {"", "-", "01", "1.", ".5", "+1", "1e", "1e+", "--1", "1.5.5", "0x1"}) {
    EXPECT_FALSE(pool.matches(any, to_code_points(text))) << text;
  }
}

TEST(NumberBounds, KnowsThatARangeIsEmpty) {
  RegexPool pool;
  NumberBounds bounds;
  const std::uint32_t language = pool.add_language(bounds);
  const auto leaf = [&](const char* bound, std::uint8_t wanted) {
    return pool.leaf(language, bounds.start(*parse_decimal(bound), wanted));
  };
  EXPECT_TRUE(pool.is_nothing(pool.all_of(leaf("3", kGreater), leaf("3", kLess))));
  EXPECT_FALSE(pool.is_nothing(pool.all_of(leaf("3", kGreater), leaf("3.001", kLess))));
}

TEST(NumberMultiples, CountInDecimals) {
  RegexPool pool;
  NumberMultiples multiples;
  const std::uint32_t language = pool.add_language(multiples);
  const auto matches = [&](const char* divisor, const char* number) {
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    EXPECT_TRUE(multiples.start(*parse_decimal(divisor), true, inside));
    EXPECT_TRUE(multiples.start(*parse_decimal(divisor), false, outside));
    const bool is_multiple = pool.matches(pool.leaf(language, inside), to_code_points(number));
    EXPECT_NE(is_multiple, pool.matches(pool.leaf(language, outside), to_code_points(number)));
    return is_multiple;
  };
  EXPECT_TRUE(matches("0.1", "0.3"));
  EXPECT_TRUE(matches("0.01", "4.35"));
  EXPECT_FALSE(matches("0.01", "4.355"));
  EXPECT_TRUE(matches("0.01", "4.3500"));
  EXPECT_TRUE(matches("1.5", "4.5"));
  EXPECT_FALSE(matches("1.5", "4"));
  EXPECT_TRUE(matches("20", "-40.0"));
  EXPECT_FALSE(matches("20", "30"));
  EXPECT_TRUE(matches("7", "0"));
  std::uint32_t state = 0;
  EXPECT_FALSE(multiples.start(*parse_decimal("0.1234567891"), true, state));
}

TEST(Decimal, ReadsWhatDoublesLose) {
  EXPECT_LT(compare(*parse_decimal("0.1"), *parse_decimal("0.1000000000000000000001")), 0);
  EXPECT_EQ(compare(*parse_decimal("1e2"), *parse_decimal("100.00")), 0);
  EXPECT_EQ(plain_text(*parse_decimal("-1.5e-3")), "-0.0015");
  EXPECT_EQ(plain_text(*parse_decimal("12e3")), "12000");
  EXPECT_EQ(count_of(*parse_decimal("2.0"), 100), 2U);
  EXPECT_EQ(count_of(*parse_decimal("1e30"), 100), 100U);
  EXPECT_EQ(count_of(*parse_decimal("-1"), 100), std::nullopt);
  EXPECT_EQ(parse_decimal("1e999999"), std::nullopt);
}

}  // namespace
}  // namespace vernal::grammar
