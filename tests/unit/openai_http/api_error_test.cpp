// Errors in the words of each API.
#include "openai_http/protocol/api_error.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "unit/openai_http/mock_event.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::MockEvent;

TEST(ApiError, HasTheShapeOfEachDialect) {
  const ApiError error = unknown_model("x");
  EXPECT_EQ(json::parse(render_error(error, Dialect::kOpenAi, "req_1")),
            json::parse(R"({"error":{"message":"The model `x` does not exist on this server; GET )"
                        R"(/v1/models lists what does.","type":"invalid_request_error",)"
                        R"("param":"model","code":"model_not_found"}})"));
  const json::value anthropic = json::parse(render_error(error, Dialect::kAnthropic, "req_1"));
  EXPECT_EQ(anthropic.at("type"), "error");
  EXPECT_EQ(anthropic.at("error").at("type"), "not_found_error");
  EXPECT_EQ(anthropic.at("request_id"), "req_1");
}

TEST(ApiError, NamesMembersAsTheClientSentThem) {
  MockEvent event = testing::failed(VERNAL_INVALID_ARGUMENT,
                                    "Invalid value for 'sampling.logit_bias.99': expected an id.");
  event.param = "sampling.logit_bias.99";
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  EXPECT_EQ(error_of_event(raw, Dialect::kOpenAi).param, "logit_bias.99");
  EXPECT_EQ(error_of_event(raw, Dialect::kOpenAi).message,
            "Invalid value for 'logit_bias.99': expected an id.");
}

TEST(ApiError, NamesMembersAsTheApiOfTheClientCallsThem) {
  const auto param = [](const std::string& path, Dialect dialect, std::string_view format = {}) {
    MockEvent event = testing::failed(VERNAL_INVALID_ARGUMENT, "Invalid value for '" + path + "'.");
    event.param = path;
    testing::EventArrays arrays;
    vernal_event raw{};
    testing::to_abi(event, arrays, raw);
    const ApiError error = error_of_event(raw, dialect, format);
    EXPECT_EQ(error.message, "Invalid value for '" + error.param + "'.");
    return error.param;
  };
  EXPECT_EQ(param("format", Dialect::kOpenAi), "response_format");
  EXPECT_EQ(param("format", Dialect::kAnthropic), "output_config.format");
  EXPECT_EQ(param("format", Dialect::kOpenAi, "guided_regex"), "guided_regex");
  EXPECT_EQ(param("format.choices[1]", Dialect::kOpenAi, "guided_choice"), "guided_choice[1]");
  EXPECT_EQ(param("format.choices[1]", Dialect::kResponses), "text.format[1]");
  EXPECT_EQ(param("template_kwargs", Dialect::kOpenAi), "chat_template_kwargs");
  EXPECT_EQ(param("kind", Dialect::kNative), "model");
  EXPECT_EQ(param("stop", Dialect::kOpenAi), "stop");
  EXPECT_EQ(param("stop[3]", Dialect::kAnthropic), "stop_sequences[3]");
  EXPECT_EQ(param("sampling.top_p", Dialect::kAnthropic), "top_p");
  EXPECT_EQ(param("messages[2].content", Dialect::kOpenAi), "messages[2].content");
  EXPECT_EQ(param("messages[2].content", Dialect::kAnthropic), "messages");
}

TEST(ApiError, WordsAnOverflowForEachDialect) {
  MockEvent event = testing::failed(VERNAL_CONTEXT_OVERFLOW,
                                    "the engine's sentence about a prompt that is too long", 400);
  event.error_code = "context_length_exceeded";
  event.param = "prompt";
  event.prompt_tokens = 5000;
  event.context_length = 4096;
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  const ApiError error = error_of_event(raw, Dialect::kOpenAi);
  EXPECT_EQ(error.status, 400U);
  const json::value openai = json::parse(render_error(error, Dialect::kOpenAi, ""));
  EXPECT_EQ(openai.at("error").at("code"), "context_length_exceeded");
  EXPECT_EQ(openai.at("error").at("message"), json::value(event.text));
  EXPECT_EQ(openai.at("error").at("param"), "prompt");
  const json::value anthropic = json::parse(render_error(error, Dialect::kAnthropic, ""));
  EXPECT_EQ(anthropic.at("error").at("message"), "prompt is too long: 5000 tokens > 4096 maximum");
}

}  // namespace
}  // namespace vernal::openai_http
