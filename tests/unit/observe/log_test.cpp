#include "observe/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <sstream>
#include <string>

#include "observe/progress_line.hpp"
#include "vernal/json/log_event.hpp"

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

TEST(Log, WritesAnEventAsFieldsForPeople) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  const std::string event = LogEvent("request")
                                .add("id", "r-1")
                                .add("client", "a b\x1b[31m\n\"")
                                .add("status", std::uint64_t{200})
                                .add("prefill_ms", 12.5)
                                .add("is_streamed", true)
                                .text();
  log.write(LogLevel::kInfo, "http", event);
  EXPECT_THAT(out.str(), HasSubstr("info http: request id=r-1 client=\"a b\\u001b[31m\\n\\\"\" "
                                   "status=200 prefill_ms=12.5 is_streamed=true\n"));
}

TEST(Log, DoesNotTakeOtherJsonForAnEvent) {
  for (const std::string text : {"{\"a\":1}", "{\"event\":1}", "{\"event\":\"x\"} and more",
                                 "{\"event\":\"x\"", "[\"event\"]"}) {
    std::ostringstream out;
    Log log(LogLevel::kInfo, out);
    log.write(LogLevel::kInfo, "http", text);
    EXPECT_THAT(out.str(), HasSubstr("http: " + text + "\n"));
  }
}

/// What the log writes as JSON.
boost::json::object json_line(std::string_view component, std::string_view text) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.set_format(LogFormat::kJson);
  log.write(LogLevel::kWarning, component, text);
  const std::string line = out.str();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
  EXPECT_THAT(line, ::testing::EndsWith("\n"));
  return boost::json::parse(line).as_object();
}

TEST(Log, WritesALineOfJsonForPrograms) {
  const boost::json::object line = json_line("http\x1b", "a \"b\"\n\t\xff \xe2\x82\xac");
  EXPECT_THAT(std::string(line.at("time").as_string()),
              MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+[+-][0-9:]+"));
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("component"), "http\x1b");
  EXPECT_EQ(line.at("message"), "a \"b\"\n\t\xef\xbf\xbd \xe2\x82\xac");
}

TEST(Log, WritesAnEventAsMembersOfTheLine) {
  const boost::json::object line = json_line(
      "http", R"({"event":"request","id":"r","level":"forged","queue_ms":0.1,"error":null})");
  EXPECT_EQ(line.at("event"), "request");
  EXPECT_EQ(line.at("id"), "r");
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("queue_ms"), 0.1);
  EXPECT_TRUE(line.at("error").is_null());
  EXPECT_FALSE(line.contains("message"));
}

TEST(Log, KeepsAnEventThatIsNoUtf8) {
  const boost::json::object line =
      json_line("http", LogEvent("request").add("model", "\xc3(\xed\xa0\x80").text());
  EXPECT_EQ(line.at("event"), "request");
  EXPECT_EQ(line.at("model"), "\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(ProgressLine, GivesWayToALineOfTheLog) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out, true);
  {
    ProgressLine progress(log, "loading main");
    progress.update(1 << 20, 4 << 20);
    log.info("server", "hello");
    log.info("server", "again");
  }
  EXPECT_THAT(out.str(), MatchesRegex("\r\x1b\\[Kloading main  25%  1.0 of 4.0 MiB"
                                      "\r\x1b\\[K[0-9-]+ [0-9:.]+ info server: hello\n"
                                      "[0-9-]+ [0-9:.]+ info server: again\n"));
}

TEST(ProgressLine, LeavesNothingBehind) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out, true);
  { ProgressLine(log, "loading main").update(1, 2); }
  EXPECT_THAT(out.str(), ::testing::EndsWith("\r\x1b[K"));
}

TEST(ProgressLine, IsSilentWithoutATerminalAndInJson) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  ProgressLine(log, "loading main").update(1, 2);
  Log json(LogLevel::kInfo, out, true);
  json.set_format(LogFormat::kJson);
  ProgressLine(json, "loading main").update(1, 2);
  EXPECT_EQ(out.str(), "");
}

TEST(Log, ParsesLevelNames) {
  EXPECT_EQ(parse_log_level("trace"), LogLevel::kTrace);
  EXPECT_EQ(parse_log_level("off"), LogLevel::kOff);
  EXPECT_EQ(parse_log_level("Info"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

}  // namespace
}  // namespace vernal
