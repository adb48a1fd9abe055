// Members of a chat beside its messages and tools.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "unit/openai_http/openai/chat_bodies.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::chat;
using testing::chat_refusal;
using testing::document_of;
using testing::kBinding;
using testing::kHarmless;

// The engine has the one table of bounds, and its refusal names the client's member.
TEST(ChatRequest, LeavesTheBoundsOfSamplingToTheEngine) {
  const json::object document =
      document_of(chat(R"("temperature":2.5,"top_p":-1,"top_k":-2,"repetition_penalty":50,
              "logit_bias":{"5":101})"));
  EXPECT_EQ(document.at("sampling"), json::parse(R"({"temperature":2.5,"top_p":-1.0,
      "repetition_penalty":50.0,"top_k":-2,"logit_bias":{"5":101.0}})"));
  EXPECT_EQ(chat_refusal(R"("temperature":"hot")").message,
            "Invalid value for 'temperature': expected a number, found \"hot\".");
}

TEST(ChatRequest, CarriesSampling) {
  const json::object document = document_of(
      chat(R"("temperature":0.7,"top_p":0.9,"top_k":-1,"min_p":0.05,"seed":-1,"stop":["a",""],
              "repetition_penalty":1.5,"presence_penalty":0.5,"frequency_penalty":-0.5,"n":2,
              "logit_bias":{"5":-100})"));
  EXPECT_EQ(document.at("sampling"), json::parse(R"({"temperature":0.7,"top_p":0.9,"min_p":0.05,
      "repetition_penalty":1.5,"presence_penalty":0.5,"frequency_penalty":-0.5,"top_k":0,
      "logit_bias":{"5":-100.0}})"));
  EXPECT_EQ(document.at("seed").to_number<std::uint64_t>(), 18446744073709551615U);
  EXPECT_EQ(document.at("stop"), json::parse(R"(["a"])"));
  EXPECT_EQ(document.at("n"), 2);
}

TEST(ChatRequest, LeavesOutWhatTheClientLeftOut) {
  EXPECT_EQ(chat("").prompts.at(0).document,
            R"({"kind":"generate","messages":[{"role":"user","content":"hi"}]})");
}

TEST(ChatRequest, IgnoresWhatItDoesNotKnow) {
  const GenerationRequest request = chat(
      R"("user":"u","metadata":{"a":1},"store":false,"service_tier":"auto","provider":[],"options":
         {"num_ctx":65536},"never_heard_of":1,"parallel_tool_calls":true,"verbosity":"low")");
  EXPECT_EQ(request.prompts.at(0).document, chat("").prompts.at(0).document);
}

TEST(ChatRequest, ReadsTheBudgetOfThinkingByItsNames) {
  for (const std::string members :
       {R"("thinking_budget":7)", R"("thinking_budget_tokens":7)",
        R"("thinking":{"type":"enabled","budget_tokens":7})", R"("reasoning":{"max_tokens":7})"}) {
    EXPECT_EQ(document_of(chat(members)).at("thinking_budget"), 7) << members;
  }
}

TEST(ChatRequest, ReadsHowTheAnswerIsDelivered) {
  const GenerationRequest request =
      chat(R"("stream":true,"stream_options":{"include_usage":true},"n":3,"logprobs":true,
              "top_logprobs":2)");
  EXPECT_EQ(request.model, "m");
  EXPECT_TRUE(request.is_streamed);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.num_choices, 3U);
  EXPECT_TRUE(request.wants_logprobs);
  EXPECT_EQ(request.num_alternatives, 2U);
  EXPECT_EQ(document_of(request).at("logprobs"), 2);
}

TEST(ChatRequest, AcceptsAnyOutputBudgetAndPrefersTheNewName) {
  EXPECT_EQ(document_of(chat(R"("max_tokens":65536)")).at("max_tokens"), 65536);
  EXPECT_EQ(document_of(chat(R"("max_tokens":9,"max_completion_tokens":5)")).at("max_tokens"), 5);
  EXPECT_EQ(document_of(chat(R"("max_tokens":1e30)")).at("max_tokens"), 2147483648);
  EXPECT_EQ(document_of(chat(R"("max_tokens":18446744073709551615)")).at("max_tokens"), 2147483648);
}

TEST(ChatRequest, TakesMinusOneForNoLimit) {
  EXPECT_FALSE(document_of(chat(R"("max_tokens":-1)")).contains("max_tokens"));
  EXPECT_FALSE(
      document_of(chat(R"("max_tokens":5,"max_completion_tokens":-1)")).contains("max_tokens"));
  EXPECT_EQ(document_of(chat(R"("max_tokens":5.0)")).at("max_tokens"), 5);
}

TEST(ChatRequest, RefusesABudgetOfNothingWithoutSoundingLikeAnOverflow) {
  for (const char* const value : {"0", "-2", "-1.5", "0.5", "1.5", "-1e30", "\"5\"", "[]"}) {
    const ApiError error = chat_refusal(std::string("\"max_tokens\":") + value);
    EXPECT_EQ(error.param, "max_tokens");
    EXPECT_EQ(error.message.find("max_tokens"), std::string::npos);
  }
}

TEST(ChatRequest, SwitchesThinking) {
  EXPECT_EQ(document_of(chat(R"("reasoning_effort":"none")")).at("thinking"), "off");
  EXPECT_EQ(document_of(chat(R"("reasoning_effort":"high")")).at("thinking"), "high");
  EXPECT_FALSE(document_of(chat(R"("reasoning_effort":"whatever")")).contains("thinking"));
  EXPECT_EQ(document_of(chat(R"("think":false)")).at("thinking"), "off");
  EXPECT_EQ(document_of(chat(R"("reasoning":{"enabled":false})")).at("thinking"), "off");
  const auto document = document_of(chat(R"("chat_template_kwargs":{"enable_thinking":false})"));
  EXPECT_EQ(document.at("template_kwargs"), json::parse(R"({"enable_thinking":false})"));
}

/// The ways in which clients of common servers ask for a format, and what the engine gets.
const std::pair<const char*, const char*> kFormats[] = {
    {R"("response_format":{"type":"json_object"})", R"({"type":"json"})"},
    {R"("response_format":{"type":"json_object","schema":{"type":"array"}})",
     R"({"type":"json_schema","schema":{"type":"array"},"strict":false})"},
    {R"("response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"maximum":0.10}}})",
     R"({"type":"json_schema","schema":{"maximum":0.10},"strict":true})"},
    {R"("output_format":{"type":"json_schema","schema":{}})",
     R"({"type":"json_schema","schema":{},"strict":false})"},
    {R"("output_config":{"format":{"type":"json_schema","schema":true}})",
     R"({"type":"json_schema","schema":true,"strict":false})"},
    {R"("json_schema":{"minimum":12345678901234567890123})",
     R"({"type":"json_schema","schema":{"minimum":12345678901234567890123},"strict":false})"},
    {R"("guided_json":"{\"minimum\":0.10}")",
     R"({"type":"json_schema","schema":{"minimum":0.10},"strict":false})"},
    {R"("grammar":"root ::= \"a\"")", R"({"type":"gbnf","grammar":"root ::= \"a\""})"},
    {R"("ebnf":"x")", R"({"type":"gbnf","grammar":"x"})"},
    {R"("guided_grammar":"x")", R"({"type":"gbnf","grammar":"x"})"},
    {R"("regex":"a+")", R"({"type":"regex","pattern":"a+"})"},
    {R"("guided_regex":"a")", R"({"type":"regex","pattern":"a"})"},
    {R"("guided_choice":["a","b"])", R"({"type":"choices","choices":["a","b"]})"},
    {R"("structured_outputs":{"choice":["a"]})", R"({"type":"choices","choices":["a"]})"},
    {R"("structured_outputs":{"json":{"multipleOf":0.10}})",
     R"({"type":"json_schema","schema":{"multipleOf":0.10},"strict":false})"},
    {R"("structured_outputs":{"json_object":true})", R"({"type":"json"})"},
};

TEST(ChatRequest, HandsFormatsToTheEngine) {
  for (const auto& [members, format] : kFormats) {
    const std::string document = chat(members).prompts.at(0).document;
    EXPECT_NE(document.find(std::string(R"("format":)") + format), std::string::npos) << document;
  }
  EXPECT_EQ(document_of(chat(R"("response_format":{"type":"text"})")).count("format"), 0U);
}

TEST(ChatRequest, RefusesFormatsThatSayTooLittleOrTooMuch) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("response_format":{"type":"json_schema","json_schema":{"name":"x"}})",
       "response_format.json_schema.schema"},
      {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {R"("json_schema":7)", "json_schema"},
      {R"("guided_json":"{")", "guided_json"},
      {R"("guided_json":"{}, \"x\": 1")", "guided_json"},
      {R"("structured_outputs":{"other":1})", "structured_outputs"},
      {R"("regex":"a","guided_choice":["a"])", "guided_choice"},
  };
  for (const auto& [members, param] : cases) {
    const ApiError error = chat_refusal(members);
    EXPECT_EQ(error.param, param) << members;
    EXPECT_EQ(error.code, "invalid_value") << members;
  }
  chat(
      R"("json_schema":{"type":"object"},"response_format":{"type":"json_object","schema":{"type":"object"}})");
}

TEST(ChatRequest, RefusesByNameWhatWouldBindTheAnswer) {
  for (const auto& [members, param] : kBinding) {
    const ApiError error = chat_refusal(members);
    EXPECT_EQ(error.param, param);
    EXPECT_EQ(error.code, "unsupported_parameter") << members;
    EXPECT_EQ(error.status, 400U);
  }
  EXPECT_EQ(chat(kHarmless).prompts.at(0).document, chat("").prompts.at(0).document);
}

TEST(ChatRequest, KnowsTheNamesThatClientsOfOtherServersUse) {
  const json::object document =
      document_of(chat(R"("typ_p":0.5,"repeat_penalty":1.2,"repeat_last_n":64,"dynatemp_range":0.5,
              "dynatemp_exponent":2,"top_n_sigma":-1,"xtc_probability":0.1,"xtc_threshold":0.2,
              "dry_multiplier":0.8,"dry_base":1.75,"dry_allowed_length":2,"dry_penalty_last_n":-1,
              "dry_sequence_breakers":["\\n",""],"mirostat_mode":2,"mirostat_tau":5,
              "mirostat_eta":0.1,"min_keep":1,"samplers":["temp","top-k","penalties","typ_p"])"));
  EXPECT_EQ(document.at("sampling"), json::parse(R"({"typical_p":0.5,"repetition_penalty":1.2,
      "penalty_last_n":64,"dynatemp_range":0.5,"dynatemp_exponent":2.0,"top_n_sigma":-1.0,
      "xtc_probability":0.1,"xtc_threshold":0.2,"dry_multiplier":0.8,"dry_base":1.75,
      "dry_allowed_length":2,"dry_penalty_last_n":-1,"dry_sequence_breakers":["\\n"],"mirostat":2,
      "mirostat_tau":5.0,"mirostat_eta":0.1,"min_keep":1,
      "samplers":["temperature","top_k","penalties","typical_p"]})"));
  EXPECT_EQ(document_of(chat(R"("samplers":"kpt")")).at("sampling").at("samplers"),
            json::parse(R"(["top_k","top_p","temperature"])"));
  EXPECT_EQ(document_of(chat(R"("repeat_penalty":1.2,"repetition_penalty":1.3)"))
                .at("sampling")
                .at("repetition_penalty"),
            1.3);
}

TEST(ChatRequest, TakesBiasesOfTokensAndTexts) {
  const auto biases = [](const std::string& sent) {
    return document_of(chat("\"logit_bias\":" + sent)).at("sampling").at("logit_bias");
  };
  EXPECT_EQ(biases(R"({"5":1,"7":false})"), json::parse(R"({"5":1.0,"7":false})"));
  EXPECT_EQ(biases(R"({"5":1,"Hello":-1})"), json::parse(R"([[5,1.0],["Hello",-1.0]])"));
  EXPECT_EQ(biases(R"([[5,1],["Hello",false]])"), json::parse(R"([[5,1.0],["Hello",false]])"));
  EXPECT_FALSE(document_of(chat(R"("logit_bias":[])")).contains("sampling"));
}

TEST(ChatRequest, SaysThatASeedIsAnyIntegerOf64Bits) {
  for (const char* seed : {"1.5", "\"a\"", "1e300", "18446744073709551616"}) {
    const ApiError error = chat_refusal(std::string("\"seed\":") + seed);
    EXPECT_EQ(error.param, "seed");
    EXPECT_NE(error.message.find("an integer"), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("inf"), std::string::npos) << error.message;
  }
}

TEST(ChatRequest, RefusesWrongTypesNamingTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("temperature":"hot")", "temperature"},
      {R"("top_p":"2")", "top_p"},
      {R"("top_k":1.5)", "top_k"},
      {R"("min_p":[])", "min_p"},
      {R"("seed":"a")", "seed"},
      {R"("seed":1.5)", "seed"},
      {R"("stop":5)", "stop"},
      {R"("stop":[5])", "stop"},
      {R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])",
       "stop"},
      {R"("n":0)", "n"},
      {R"("n":1000000)", "n"},
      {R"("logprobs":1)", "logprobs"},
      {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
      {R"("top_logprobs":2)", "top_logprobs"},
      {R"("stream":"yes")", "stream"},
      {R"("stream_options":[])", "stream_options"},
      {R"("stream_options":{"include_usage":1})", "stream_options.include_usage"},
      {R"("logit_bias":[5])", "logit_bias"},
      {R"("logit_bias":[[5]])", "logit_bias"},
      {R"("logit_bias":[["a",true]])", "logit_bias"},
      {R"("logit_bias":{"a":"b"})", "logit_bias.a"},
      {R"("samplers":"kq")", "samplers"},
      {R"("samplers":[1])", "samplers"},
      {R"("samplers":{})", "samplers"},
      {R"("dry_sequence_breakers":"x")", "dry_sequence_breakers"},
      {R"("dry_sequence_breakers":[1])", "dry_sequence_breakers"},
      {R"("mirostat":"1")", "mirostat"},
      {R"("logit_bias":{"1":0,"-2":1})", "logit_bias.-2"},
      {R"("logit_bias":{"99999999999":1})", "logit_bias.99999999999"},
      {R"("logit_bias":{"1":"a"})", "logit_bias.1"},
      {R"("presence_penalty":"3")", "presence_penalty"},
      {R"("repetition_penalty":true)", "repetition_penalty"},
      {R"("response_format":"json")", "response_format"},
      {R"("response_format":{"type":"xml"})", "response_format.type"},
      {R"("tools":{})", "tools"},
      {R"("tools":[1])", "tools"},
      {R"("tools":[{"type":"function"}])", "tools[0].function"},
      {R"("tools":[{"function":{}}])", "tools[0].function.name"},
      {R"("tools":[{"function":{"name":""}}])", "tools[0].function.name"},
      {R"("tools":[{"type":"search"},{"function":{"name":"f"}},{"function":{"name":"f"}}])",
       "tools[2].function.name"},
      {R"("tools":[{"function":{"name":"f","parameters":1}}])", "tools[0].function.parameters"},
      {R"("functions":[{"name":"f"},{"name":"f"}])", "functions[1].name"},
      {R"("tool_choice":"maybe")", "tool_choice"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("chat_template_kwargs":1)", "chat_template_kwargs"},
      {R"("reasoning_effort":1)", "reasoning_effort"},
      {R"("model":1)", "model"},
  };
  for (const auto& [members, param] : cases) EXPECT_EQ(chat_refusal(members).param, param);
}

TEST(ChatRequest, RemembersWhoAsksForAFormat) {
  const auto member = [](const std::string& members) { return chat(members).format_member; };
  EXPECT_EQ(member(""), "");
  EXPECT_EQ(member(R"("response_format":{"type":"text"})"), "");
  EXPECT_EQ(member(R"("response_format":{"type":"json_object"})"), "response_format");
  EXPECT_EQ(member(R"("guided_regex":"a+")"), "guided_regex");
  EXPECT_EQ(member(R"("grammar":"root ::= \"a\"")"), "grammar");
  EXPECT_EQ(member(R"("output_config":{"format":{"type":"json_object"}})"), "output_config.format");
}

}  // namespace
}  // namespace vernal::openai_http
