#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/completion_request.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "refused_requests.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::kBinding;
using testing::kHarmless;
using testing::refusal;

GenerationRequest chat(const std::string& members) {
  const std::string separator = members.empty() ? "" : ",";
  const JsonBody body(R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + separator +
                      members + "}");
  return read_chat_request(body.object());
}

json::object document_of(const GenerationRequest& request, std::size_t prompt = 0) {
  return json::parse(request.prompts.at(prompt).document).as_object();
}

ApiError chat_refusal(const std::string& members) {
  return refusal([&] { chat(members); });
}

ApiError body_refusal(const std::string& text) {
  return refusal([&] { read_chat_request(JsonBody(text).object()); });
}

TEST(ChatRequest, CarriesTheMessages) {
  const JsonBody body(R"({"messages":[
      {"role":"developer","content":"be brief"},
      {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"u"},
      {"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"c1","name":"f","content":"ok","extra":1}]})");
  const json::array messages =
      document_of(read_chat_request(body.object())).at("messages").as_array();
  EXPECT_EQ(json::serialize(messages[0]), R"({"role":"system","content":"be brief"})");
  EXPECT_EQ(messages[1].at("content").as_array().size(), 2U);
  EXPECT_EQ(messages[1].at("name"), "u");
  EXPECT_TRUE(messages[2].at("content").is_null());
  EXPECT_EQ(messages[2].at("reasoning_content"), "r");
  EXPECT_EQ(messages[2].at("tool_calls").at(0).at("function").at("name"), "f");
  EXPECT_EQ(messages[3].at("tool_call_id"), "c1");
  EXPECT_FALSE(messages[3].as_object().contains("extra"));
}

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

TEST(ChatRequest, HandsOnThatOneCallIsEnough) {
  EXPECT_EQ(document_of(chat(R"("parallel_tool_calls":false)")).at("parallel_tool_calls"), false);
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

TEST(ChatRequest, CarriesTools) {
  const json::object document = document_of(
      chat(R"("tool_choice":"required","tools":[{"type":"function","function":{"name":"f",
              "description":"d","strict":true,"parameters":{"type":"object"}}},
              {"type":"web_search"}])"));
  EXPECT_EQ(document.at("tools"), json::parse(R"([{"type":"function","function":{"name":"f",
              "description":"d","strict":true,"parameters":{"type":"object"}}}])"));
  EXPECT_EQ(document.at("tool_choice"), "required");
}

TEST(ChatRequest, HandsOnToolsCallsAndVariablesAsTheyWereSent) {
  const std::string tools =
      R"("tools":[{"function":{"strict":true,"parameters":{"properties":{"x":{"maximum":)"
      R"(36893488147419103232,"multipleOf":0.10,"default":-0}}},"name":"f"},"type":"function"}])";
  const std::string kwargs = R"({"budget":1.50,"big":[18446744073709551615]})";
  const std::string document =
      chat(tools + R"(,"chat_template_kwargs":)" + kwargs).prompts.at(0).document;
  EXPECT_NE(document.find(tools), std::string::npos) << document;
  EXPECT_NE(document.find(R"("template_kwargs":)" + kwargs), std::string::npos) << document;
}

TEST(ChatRequest, KeepsArgumentsOfCalls) {
  const auto arguments = [](const std::string& sent) {
    const JsonBody body(R"({"messages":[{"role":"assistant","tool_calls":[{"id":"c",
        "function":{"name":"f","arguments":)" +
                        sent + "}}]}]}");
    return read_chat_request(body.object()).prompts.at(0).document;
  };
  for (const std::string sent : {R"("{\"price\": 19.99}")", R"("{\"x\": 1, \"x\": 2}")",
                                 R"({"x":0.10,"y":36893488147419103232})"}) {
    EXPECT_NE(arguments(sent).find(R"("arguments":)" + sent), std::string::npos) << arguments(sent);
  }
}

/// The assistant's message, converted, with these members.
json::object assistant(const std::string& members) {
  const JsonBody body(R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant",)" +
                      members + R"(},{"role":"user","content":"on"}]})");
  return document_of(read_chat_request(body.object())).at("messages").at(1).as_object();
}

TEST(ChatRequest, TakesNullContentForAnEmptyMessage) {
  EXPECT_EQ(assistant(R"("content":null)").at("content"), "");
  EXPECT_EQ(assistant(R"("name":"a")").at("content"), "");
  EXPECT_EQ(assistant(R"("content":null,"tool_calls":[])").at("content"), "");
  EXPECT_EQ(assistant(R"("content":"","tool_calls":[{"function":{"name":"f"}}])").at("content"),
            "");
  EXPECT_TRUE(assistant(R"("content":null,"tool_calls":[{"function":{"name":"f"}}])")
                  .at("content")
                  .is_null());
}

TEST(ChatRequest, ReadsThinkingUnderTheNamesOfOtherServers) {
  for (
      const char* const members :
      {R"("content":"a","reasoning_content":"hm")", R"("content":"a","reasoning":"hm")",
       R"("content":"a","reasoning_text":"hm")", R"("content":"a","thinking":"hm")",
       R"("content":"a","reasoning":{"effort":"high"},"thinking":"hm")",
       R"("content":"a","reasoning":"","thinking":"hm")",
       R"("content":"a","reasoning_details":[{"type":"reasoning.text","text":"hm"},{"type":"x"}])",
       R"("content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}])",
       R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}])",
       R"("content":[{"type":"reasoning","text":"hm"},{"type":"text","text":"a"}])",
       R"("content":[{"type":"reasoning","reasoning":"hm"},{"type":"text","text":"a"}])"}) {
    const json::object message = assistant(members);
    EXPECT_EQ(message.at("reasoning_content"), "hm") << members;
    EXPECT_EQ(message.size(), 3U) << members;
  }
}

TEST(ChatRequest, NamesTheToolThatIsNotOffered) {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}}],)";
  const auto document =
      document_of(chat(tools + R"("tool_choice":{"type":"function","function":{"name":"f"}})"));
  EXPECT_EQ(document.at("tool_choice"), json::parse(R"({"name":"f"})"));
  const ApiError error =
      chat_refusal(tools + R"("tool_choice":{"type":"function","function":{"name":"nope"}})");
  EXPECT_EQ(error.param, "tool_choice");
  EXPECT_NE(error.message.find("nope"), std::string::npos);
}

TEST(ChatRequest, CarriesWhichToolsMayBeCalled) {
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],)";
  const auto choice = [&](const std::string& mode, const std::string& name) {
    return R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":")" + mode +
           R"(","tools":[{"type":"function","function":{"name":")" + name + R"("}}]}})";
  };
  const json::object document = document_of(chat(tools + choice("required", "g")));
  EXPECT_EQ(document.at("tool_choice"), "required");
  EXPECT_EQ(document.at("allowed_tools"), json::parse(R"(["g"])"));
  EXPECT_EQ(document.at("tools").as_array().size(), 2U) << "the prompt shows all";
  EXPECT_EQ(chat_refusal(tools + choice("required", "h")).param, "tool_choice");
  EXPECT_EQ(chat_refusal(tools + choice("some", "g")).param, "tool_choice.allowed_tools.mode");
  EXPECT_EQ(chat_refusal(tools + R"("tool_choice":{"type":"allowed_tools"})").param,
            "tool_choice.allowed_tools");
}

TEST(ChatRequest, ReadsFunctionsOfTheOlderApi) {
  const std::string functions = R"("functions":[{"name":"f","parameters":{"type":"object"}}])";
  const GenerationRequest request = chat(functions + R"(,"function_call":{"name":"f"})");
  const json::object document = document_of(request);
  EXPECT_TRUE(request.answers_function_call);
  EXPECT_EQ(document.at("tools"), json::parse(R"([{"type":"function","function":{"name":"f",
              "parameters":{"type":"object"}}}])"));
  EXPECT_EQ(document.at("tool_choice"), json::parse(R"({"name":"f"})"));
  EXPECT_EQ(document.at("parallel_tool_calls"), false);
  EXPECT_EQ(document_of(chat(functions + R"(,"function_call":"none")")).at("tool_choice"), "none");
  EXPECT_FALSE(chat("").answers_function_call);
  EXPECT_EQ(chat_refusal(functions + R"(,"function_call":{"name":"g"})").param, "function_call");
  EXPECT_EQ(chat_refusal(functions + R"(,"function_call":"required")").param, "function_call");
  EXPECT_EQ(chat_refusal(functions + R"(,"tools":[])").param, "functions");
  EXPECT_EQ(chat_refusal(R"("functions":[{"name":""}])").param, "functions[0].name");
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
      {R"("tool_choice":"maybe")", "tool_choice"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("chat_template_kwargs":1)", "chat_template_kwargs"},
      {R"("reasoning_effort":1)", "reasoning_effort"},
      {R"("model":1)", "model"},
  };
  for (const auto& [members, param] : cases) EXPECT_EQ(chat_refusal(members).param, param);
}

TEST(ChatRequest, RefusesMessagesNamingTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "messages"},
      {R"({"messages":[]})", "messages"},
      {R"({"messages":"hi"})", "messages"},
      {R"({"messages":["hi"]})", "messages"},
      {R"({"messages":[{"role":"wizard","content":"x"}]})", "messages[0].role"},
      {R"({"messages":[{"content":"x"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"user"}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":null}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":5}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":["x"]}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})",
       "messages[0].content[0].text"},
      {R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})",
       "messages[0].content[0].type"},
      {R"({"messages":[{"role":"assistant","tool_calls":[1]}]})", "messages[0].tool_calls"},
      {R"({"messages":[{"role":"assistant","tool_calls":[{}]}]})",
       "messages[0].tool_calls[0].function"},
      {R"({"messages":[{"role":"user","content":"x","name":1}]})", "messages[0].name"},
  };
  for (const auto& [body, param] : cases) EXPECT_EQ(body_refusal(body).param, param);
}

GenerationRequest completion(const std::string& text) {
  return read_completion_request(JsonBody(text).object());
}

TEST(CompletionRequest, TakesEveryFormOfPrompt) {
  EXPECT_EQ(document_of(completion(R"({"prompt":"a"})")),
            json::parse(R"({"kind":"generate","max_tokens":16,"prompt":"a"})"));
  const GenerationRequest two = completion(R"({"prompt":["a","b"],"max_tokens":4})");
  EXPECT_EQ(document_of(two, 0).at("prompt"), "a");
  EXPECT_EQ(document_of(two, 1).at("prompt"), "b");
  const GenerationRequest tokens = completion(R"({"prompt":[1,2,3]})");
  EXPECT_EQ(tokens.prompts.at(0).tokens, (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_FALSE(document_of(tokens).contains("prompt"));
  EXPECT_EQ(completion(R"({"prompt":[[1],[2,3]]})").prompts.at(1).tokens.size(), 2U);
}

TEST(CompletionRequest, RefusesByNameWhatWouldBindTheAnswer) {
  for (const auto& [members, param] : kBinding) {
    const std::string body = std::string(R"({"prompt":"a",)") + members + "}";
    EXPECT_EQ(refusal([&] { completion(body); }).param, param);
  }
  EXPECT_EQ(completion(std::string(R"({"prompt":"a",)") + kHarmless + "}").prompts.at(0).document,
            completion(R"({"prompt":"a"})").prompts.at(0).document);
}

TEST(CompletionRequest, EchoesThePrompt) {
  const GenerationRequest plain = completion(R"({"prompt":["a",[5]],"echo":true})");
  EXPECT_EQ(document_of(plain), json::parse(R"({"kind":"generate","echo":true,"max_tokens":16,
      "prompt":"a"})"));
  EXPECT_EQ(plain.prompts.at(0).echoed, "a");
  EXPECT_EQ(plain.prompts.at(1).echoed, "");
  EXPECT_EQ(document_of(completion(R"({"prompt":"a","echo":true,"logprobs":3,"max_tokens":0})")),
            json::parse(R"({"kind":"generate","echo":true,"max_tokens":0,"logprobs":3,
      "prompt_logprobs":3,"prompt":"a"})"));
}

TEST(CompletionRequest, CarriesTheRulesForTokens) {
  EXPECT_EQ(document_of(completion(R"({"prompt":"a","min_tokens":5,"ignore_eos":true,
      "bad_words":["x",""],"banned_strings":["y"]})")),
            json::parse(R"({"kind":"generate","max_tokens":16,"prompt":"a","min_tokens":5,
      "ignore_eos":true,"bad_words":["x"],"banned_strings":["y"]})"));
  const GenerationRequest told =
      completion(R"({"prompt":"a","timings_per_token":true,"return_progress":true})");
  EXPECT_TRUE(told.timings_per_token && told.reports_progress);
}

bool continues(const std::string& last, const std::string& members) {
  const JsonBody body(R"({"messages":[{"role":"user","content":"q"},)" + last + "]" + members +
                      "}");
  return document_of(read_chat_request(body.object())).contains("continue_final_message");
}

TEST(ChatRequest, ALastMessageOfTheAssistantIsTheBeginningOfTheAnswer) {
  const std::string answer = R"({"role":"assistant","content":"The "})";
  EXPECT_TRUE(continues(answer, ""));
  EXPECT_TRUE(continues(answer, R"(,"continue_final_message":true,"add_generation_prompt":false)"));
  EXPECT_FALSE(continues(answer, R"(,"continue_final_message":false)"));
  EXPECT_FALSE(continues(answer, R"(,"add_generation_prompt":true)"));
  EXPECT_FALSE(continues(R"({"role":"assistant","content":null,"tool_calls":[{"id":"1","type":
      "function","function":{"name":"f","arguments":"{}"}}]})",
                         ""));
  EXPECT_FALSE(continues(R"({"role":"user","content":"q"})", ""));
  EXPECT_TRUE(continues(R"({"role":"user","content":"q"})", R"(,"continue_final_message":true)"));
  EXPECT_EQ(chat_refusal(R"("add_generation_prompt":false)").param, "add_generation_prompt");
}

TEST(CompletionRequest, TakesMinusOneForNoLimit) {
  EXPECT_FALSE(document_of(completion(R"({"prompt":"a","max_tokens":-1})")).contains("max_tokens"));
  EXPECT_EQ(refusal([&] { completion(R"({"prompt":"a","max_tokens":1.5})"); }).param, "max_tokens");
}

TEST(CompletionRequest, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "prompt"},
      {R"({"prompt":5})", "prompt"},
      {R"({"prompt":[]})", "prompt"},
      {R"({"prompt":[[]]})", "prompt"},
      {R"({"prompt":[-1]})", "prompt"},
      {R"({"prompt":[1.5]})", "prompt"},
      {R"({"prompt":[4294967296]})", "prompt"},
      {R"({"prompt":[1,"a"]})", "prompt"},
      {R"({"prompt":[{}]})", "prompt"},
      {R"({"prompt":"a","echo":1})", "echo"},
      {R"({"prompt":"a","max_tokens":0})", "max_tokens"},
      {R"({"prompt":"a","min_tokens":"5"})", "min_tokens"},
      {R"({"prompt":"a","ignore_eos":1})", "ignore_eos"},
      {R"({"prompt":"a","bad_words":"x"})", "bad_words"},
      {R"({"prompt":"a","banned_strings":[1]})", "banned_strings"},
      {R"({"prompt":"a","timings_per_token":1})", "timings_per_token"},
      {R"({"prompt":"a","suffix":"b","echo":true})", "suffix"},
      {R"({"prompt":"a","best_of":3})", "best_of"},
      {R"({"prompt":"a","logprobs":true})", "logprobs"},
      {R"({"prompt":"a","logprobs":21})", "logprobs"},
  };
  for (const auto& [body, param] : cases) {
    EXPECT_EQ(refusal([&] { completion(body); }).param, param) << body;
  }
}

}  // namespace
}  // namespace vernal::openai_http
