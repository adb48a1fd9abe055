#include "observe/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace vernal {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(Log, WritesTimeLevelComponentAndText) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.info("scheduler", "{} of {}", 3, 4);
  EXPECT_THAT(out.str(), MatchesRegex("[0-9-]+ [0-9:.]+ info scheduler: 3 of 4\n"));
}

TEST(Log, SkipsLinesBelowItsLevel) {
  std::ostringstream out;
  Log log(LogLevel::kWarning, out);
  log.info("scheduler", "quiet");
  EXPECT_EQ(out.str(), "");
  log.set_level(LogLevel::kInfo);
  log.info("scheduler", "loud");
  EXPECT_THAT(out.str(), HasSubstr("loud"));
}

TEST(Log, WritesNothingWhenOff) {
  std::ostringstream out;
  Log log(LogLevel::kOff, out);
  log.error("scheduler", "broken");
  log.write(LogLevel::kOff, "scheduler", "never");
  EXPECT_EQ(out.str(), "");
}

TEST(Log, ReplacesControlCharactersAndIndentsFurtherLines) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.write(LogLevel::kInfo, "http\x1b", "a\x1b[31mb\r\n2026-01-01 error forged: line");
  EXPECT_THAT(out.str(), HasSubstr("http?: a?[31mb?\n    2026-01-01"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

TEST(Log, DoesNotInterpretBracesInText) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.write(LogLevel::kInfo, "http", "{} %s {0}");
  EXPECT_THAT(out.str(), HasSubstr("http: {} %s {0}\n"));
}

TEST(Log, ParsesLevelNames) {
  EXPECT_EQ(parse_log_level("trace"), LogLevel::kTrace);
  EXPECT_EQ(parse_log_level("off"), LogLevel::kOff);
  EXPECT_EQ(parse_log_level("Info"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

}  // namespace
}  // namespace vernal
