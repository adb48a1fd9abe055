#include "config/units.hpp"

#include <gtest/gtest.h>

#include <string>

#include "vernal/error.hpp"

namespace vernal {
namespace {

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Units, ReadSizesInBothFamilies) {
  EXPECT_EQ(parse_size("0B"), 0U);
  EXPECT_EQ(parse_size("17B"), 17U);
  EXPECT_EQ(parse_size("4KiB"), 4096U);
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736U);
  EXPECT_EQ(parse_size("2TiB"), 2199023255552U);
  EXPECT_EQ(parse_size("3KB"), 3000U);
  EXPECT_EQ(parse_size("3MB"), 3000000U);
  EXPECT_EQ(parse_size("512 MiB"), 536870912U);
}

TEST(Units, ReadDurations) {
  EXPECT_EQ(parse_duration_ms("250ms"), 250U);
  EXPECT_EQ(parse_duration_ms("30s"), 30000U);
  EXPECT_EQ(parse_duration_ms("1.5m"), 90000U);
  EXPECT_EQ(parse_duration_ms("24h"), 86400000U);
}

TEST(Units, RefuseWhatIsNoNumberWithAUnit) {
  for (const char* text :
       {"", "4", "GiB", "4G", "4 gibibytes", "-1GiB", "nanGiB", "infGiB", "1e300GiB", "1e400B",
        "4GiB ", "0x10B", "9007199254740992B", "4,5GiB", "4GiBGiB"}) {
    EXPECT_THROW(parse_size(text), Error) << text;
  }
  for (const char* text : {"", "30", "s", "-1s", "30sec", "1d", "1e18h"}) {
    EXPECT_THROW(parse_duration_ms(text), Error) << text;
  }
}

TEST(Units, SayWhichUnitsThereAreAndWhichWasMeant) {
  EXPECT_EQ(
      message_of([] { parse_size("4gib"); }),
      "expected a number with a unit (B, KiB, MiB, GiB, TiB, KB, MB, GB, TB), such as \"4GiB\", "
      "found \"4gib\"; did you mean \"4GiB\"?");
  EXPECT_EQ(message_of([] { parse_duration_ms("5 minutes"); }),
            "expected a number with a unit (ms, s, m, h), such as \"30s\", found \"5 minutes\"");
  EXPECT_EQ(message_of([] { parse_duration_ms("\x1b[2J\n"); }),
            "expected a number with a unit (ms, s, m, h), such as \"30s\", found \"\\x1b[2J\\n\"");
}

TEST(Units, FormatSizesWithTwoDigits) {
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.00 KiB");
  EXPECT_EQ(format_size(1610612736), "1.50 GiB");
  EXPECT_EQ(format_size(5 * 1024 * 1024), "5.00 MiB");
}

}  // namespace
}  // namespace vernal
