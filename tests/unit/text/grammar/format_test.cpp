#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/formats.hpp"

namespace vernal::grammar {
namespace {

struct FormatCase {
  std::string name;
  std::vector<std::string> yes;
  std::vector<std::string> no;
};

class Format : public testing::TestWithParam<FormatCase> {};

TEST_P(Format, Holds) {
  RegexPool pool;
  const std::optional<Re> language = format_language(pool, GetParam().name);
  ASSERT_TRUE(language);
  for (const std::string& text : GetParam().yes) {
    EXPECT_TRUE(pool.matches(*language, to_code_points(text))) << text;
  }
  for (const std::string& text : GetParam().no) {
    EXPECT_FALSE(pool.matches(*language, to_code_points(text))) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, Format,
    testing::Values(
        FormatCase{"date",
                   {"2024-02-29", "2000-02-29", "2023-12-31"},
                   {"2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "23-01-01"}},
        FormatCase{"date-time",
                   {"2024-02-29T23:59:60Z", "2023-01-01T00:00:00.5+01:00"},
                   {"2023-01-01T00:00:00", "2023-01-01 00:00:00Z", "2023-01-01T24:00:00Z"}},
        FormatCase{"time", {"12:00:00Z", "12:00:00-08:30"}, {"12:00:00", "12:60:00Z"}},
        FormatCase{
            "duration", {"P1D", "PT1H30M", "P1Y2M3DT4H5M6S", "P4W"}, {"P", "PT", "P1W2D", "1D"}},
        FormatCase{
            "email", {"a.b@example.org", "\"a b\"@[127.0.0.1]"}, {"a", "a@", ".a@b", "a..b@c"}},
        FormatCase{"hostname", {"a-b.example"}, {"-a", "a_b", "a.", std::string(64, 'a')}},
        FormatCase{"ipv4", {"1.2.3.255"}, {"1.2.3", "1.2.3.256", "01.2.3.4"}},
        FormatCase{"ipv6",
                   {"::", "::1", "1:2:3:4:5:6:7:8", "1::8", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"},
                   {":", "1:2", "1:2:3:4:5:6:7:8:9", "::1%eth0", "12345::", "1::2::3"}},
        FormatCase{
            "uuid", {"2EB8AA08-aa98-11ea-b4aa-73b441d16380"}, {"2eb8aa08aa9811eab4aa73b441d16380"}},
        FormatCase{
            "uri", {"http://a.b/c?d#e", "urn:x:y", "mailto:a@b"}, {"/a", "a b:c", "http://a b"}},
        FormatCase{"uri-reference", {"/a", "#f", "", "a/b", "//h/p"}, {"\\a", "a:%x"}},
        FormatCase{"json-pointer", {"", "/a~0b/~1", "/"}, {"a", "/~2"}},
        FormatCase{"uri-template", {"http://a/{b}/{?c,d*}"}, {"http://a/{b", "{}"}}));

TEST(Formats, UnknownOnesAreNotAsserted) {
  RegexPool pool;
  EXPECT_FALSE(format_language(pool, "idn-hostname"));
  EXPECT_FALSE(format_language(pool, "topic"));
}

}  // namespace
}  // namespace vernal::grammar
