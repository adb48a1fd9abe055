#include "openai_http/protocol/json_body.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_fields.hpp"
#include "openai_http/protocol/json_text.hpp"

namespace vernal::openai_http {
namespace {

unsigned status_of(const std::string& text) {
  try {
    const JsonBody body(text);
    return 200;
  } catch (const RequestRefused& refused) {
    EXPECT_GE(refused.error().message.size(), 30U);
    return refused.error().status;
  }
}

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(JsonBody, AcceptsAnObject) {
  const JsonBody body(R"({"a": [1, 2.5, "x\u00e4", null, {"b": true}]})");
  EXPECT_TRUE(body.object().at("a").is_array());
}

TEST(JsonBody, RefusesWhatIsNoJsonObject) {
  for (const char* const text : {"",
                                 " ",
                                 "{",
                                 "[]",
                                 "1",
                                 "null",
                                 "\"x\"",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "{\"a\":1} x",
                                 "{\"a\":01}",
                                 "{\"a\":.5}",
                                 "{\"a\":NaN}",
                                 "{\"a\":Infinity}",
                                 "{\"a\":+1}",
                                 "{\"a\":\"\n\"}",
                                 "{\"a\":\"\\x\"}",
                                 "{\"a\":tru}",
                                 "// c\n{}"}) {
    EXPECT_EQ(status_of(text), 400U) << text;
  }
}

TEST(JsonBody, RefusesBrokenUtf8AndLoneSurrogates) {
  EXPECT_EQ(status_of("{\"a\":\"\xff\"}"), 400U);
  EXPECT_EQ(status_of("{\"a\":\"\xc0\xaf\"}"), 400U);
  EXPECT_EQ(status_of("{\"a\":\"\xed\xa0\x80\"}"), 400U);
  EXPECT_EQ(status_of("{\"a\":\"\\ud800\"}"), 400U);
  EXPECT_EQ(status_of("{\"a\":\"\\udc00\"}"), 400U);
  EXPECT_EQ(status_of("{\"a\":\"\\ud83d\\ude00\"}"), 200U);
}

TEST(JsonBody, RefusesNestingBeyondItsLimit) {
  EXPECT_EQ(status_of("{\"a\":" + repeated("[", 100) + repeated("]", 100) + "}"), 200U);
  EXPECT_EQ(status_of("{\"a\":" + repeated("[", 200) + repeated("]", 200) + "}"), 400U);
  EXPECT_EQ(status_of(repeated("{\"a\":", 1'000'000)), 400U);
}

TEST(JsonBody, RefusesNumbersThatAreNotFinite) {
  EXPECT_EQ(status_of("{\"a\":1e999}"), 400U);
  EXPECT_EQ(status_of("{\"a\":[{\"b\":-1e400}]}"), 400U);
  EXPECT_EQ(status_of("{\"a\":1e99999999999999999999}"), 400U);
  EXPECT_EQ(status_of("{\"a\":" + repeated("9", 10'000) + "}"), 400U);
}

TEST(JsonBody, TakesTheLastOfEqualKeys) {
  const JsonBody body(R"({"a":1,"a":2})");
  EXPECT_EQ(body.object().at("a").as_int64(), 2);
}

TEST(JsonBody, BoundsItsMemory) {
  EXPECT_EQ(status_of("{\"a\":[" + repeated("0,", 16'000'000) + "0]}"), 413U);
}

TEST(JsonFields, NameTheMemberTheExpectationAndTheFinding) {
  const JsonBody body(R"({"temperature": 7})");
  try {
    JsonFields(body.object()).number("temperature", {0, 2});
    FAIL();
  } catch (const RequestRefused& refused) {
    EXPECT_EQ(refused.error().param, "temperature");
    EXPECT_EQ(refused.error().message,
              "Invalid value for 'temperature': expected a number from 0 to 2, found 7.");
  }
}

TEST(JsonFields, TakeWholeDoublesForIntegers) {
  const JsonBody body(R"({"a": 5.0, "b": 5.5, "c": null})");
  const JsonFields fields(body.object());
  EXPECT_EQ(fields.integer("a", {0, 10}), 5);
  EXPECT_THROW(fields.integer("b", {0, 10}), RequestRefused);
  EXPECT_EQ(fields.integer("c", {0, 10}), std::nullopt);
}

TEST(JsonText, WritesNumbersAsPeopleDo) {
  const boost::json::value value{1, -2.5, 2.0, 2801.067, 1e300, 18446744073709551615U, INFINITY};
  EXPECT_EQ(to_text(value), "[1,-2.5,2.0,2801.067,1e+300,18446744073709551615,null]");
}

TEST(JsonText, ReadsBackAsItWas) {
  const boost::json::value value = boost::json::parse(
      R"({"a":[null,true,false,"x\"\n\u0000\u00e4😀",{}],"":[[]],"b\n":{"c":-0.1}})");
  EXPECT_EQ(boost::json::parse(to_text(value)), value);
  const std::string large(20'000, '"');
  EXPECT_EQ(boost::json::parse(to_text(boost::json::object{{"x", large}})).at("x").as_string(),
            large);
}

}  // namespace
}  // namespace vernal::openai_http
