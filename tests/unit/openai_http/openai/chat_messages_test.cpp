// The messages of a chat, as the engine gets them.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "unit/openai_http/openai/chat_bodies.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::body_refusal;
using testing::chat_refusal;
using testing::document_of;

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

TEST(ChatRequest, TakesResultsOfTheOlderApiForResultsOfCalls) {
  const JsonBody body(R"({"messages":[{"role":"user","content":"go"},
      {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},
      {"role":"function","name":"f","content":"one"},
      {"role":"assistant","content":null,"function_call":{"name":"g","arguments":"{}"}},
      {"role":"function","name":"g","content":"two"},
      {"role":"function","name":"g","content":"late"}]})");
  const json::array messages =
      document_of(read_chat_request(body.object())).at("messages").as_array();
  EXPECT_EQ(messages[1], json::parse(R"({"role":"assistant","tool_calls":[{"type":"function",
      "function":{"name":"f","arguments":"{\"a\":1}"},"id":"call_2"}],"content":null})"));
  EXPECT_EQ(messages[2], json::parse(R"({"role":"tool","name":"f","tool_call_id":"call_2",
      "content":"one"})"));
  EXPECT_EQ(messages[4].at("tool_call_id"), messages[3].at("tool_calls").at(0).at("id"));
  EXPECT_FALSE(messages[5].as_object().contains("tool_call_id")) << "nothing was called";
}

TEST(ChatRequest, RefusesCallsOfTheOlderApiThatAreNotWhole) {
  const auto with = [](const std::string& message) {
    return body_refusal(R"({"messages":[)" + message + "]}").param;
  };
  EXPECT_EQ(with(R"({"role":"function","content":"r"})"), "messages[0].name");
  EXPECT_EQ(with(R"({"role":"function","name":"f","content":5})"), "messages[0].content");
  EXPECT_EQ(with(R"({"role":"assistant","function_call":"f"})"), "messages[0].function_call");
  EXPECT_EQ(with(R"({"role":"assistant","function_call":{"arguments":"{}"}})"),
            "messages[0].function_call.name");
  EXPECT_EQ(with(R"({"role":"assistant","function_call":{"name":"f","arguments":"{}"},
                     "tool_calls":[{"function":{"name":"f","arguments":"{}"}}]})"),
            "messages[0].function_call");
}

TEST(ChatRequest, RefusesPicturesByTheirPlace) {
  const ApiError error = body_refusal(R"({"messages":[{"role":"system","content":"s"},
      {"role":"user","content":"q"},{"role":"user","content":[
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
        {"type":"text","text":"What is this?"}]}]})");
  EXPECT_EQ(error.status, 400U);
  EXPECT_EQ(error.code, "unsupported_content");
  EXPECT_EQ(error.param, "messages[2].content[0].type");
  EXPECT_EQ(error.message,
            "Invalid value for 'messages[2].content[0].type': expected a content part of type "
            "text, found \"image_url\"; the models of this server read text only.");
  const ApiError unknown = body_refusal(
      R"({"messages":[{"role":"user","content":[{"type":"hologram","hologram":{}}]}]})");
  EXPECT_EQ(unknown.code, "invalid_value") << "no API has such a part";
  EXPECT_EQ(unknown.param, "messages[0].content[0].type");
}

TEST(ChatRequest, TakesNoPartsForAnEmptyMessage) {
  const JsonBody body(R"({"messages":[{"role":"user","content":[]}]})");
  EXPECT_EQ(document_of(read_chat_request(body.object())).at("messages").at(0).at("content"), "");
  const std::string thought = R"([{"type":"thinking","thinking":"hm"}])";
  EXPECT_EQ(assistant(R"("content":)" + thought).at("content"), "");
  EXPECT_TRUE(assistant(R"("content":)" + thought + R"(,"tool_calls":[{"function":{"name":"f"}}])")
                  .at("content")
                  .is_null());
}

}  // namespace
}  // namespace vernal::openai_http
