// Requests of the Messages API, made into documents.
#include "openai_http/anthropic/messages_request.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/protocol/json_body.hpp"
#include "unit/openai_http/refused_requests.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::refusal;

GenerationRequest read(const std::string& body) {
  return read_messages_request(JsonBody(body).object());
}

/// A request with these members beside the required ones.
GenerationRequest ask(const std::string& members) {
  return read(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}])" +
              (members.empty() ? "" : "," + members) + "}");
}

/// A request with these messages.
GenerationRequest say(const std::string& messages) {
  return read(R"({"model":"m","max_tokens":9,"messages":[)" + messages + "]}");
}

json::object document_of(const GenerationRequest& request) {
  return json::parse(request.prompts.at(0).document).as_object();
}

json::value messages_of(const GenerationRequest& request) {
  return document_of(request).at("messages");
}

constexpr const char* kTools = R"("tools":[{"name":"f","input_schema":{"type":"object"}}])";

TEST(MessagesRequest, BecomesADocument) {
  const GenerationRequest request =
      read(R"({"model":"m","max_tokens":64,"stream":true,"system":[{"type":"text","text":"s",
      "cache_control":{"type":"ephemeral"}}],"thinking":{"type":"disabled"},"temperature":0.5,
      "top_k":3,"stop_sequences":["\n\nHuman:",""],"metadata":{"user_id":"u"},"messages":[
      {"role":"user","content":"q"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"x"},
        {"type":"redacted_thinking","data":"zz"},{"type":"text","text":"t"},
        {"type":"tool_use","id":"1","name":"f","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":
        [{"type":"text","text":"r"}]},{"type":"text","text":"so?"}]}],)" +
           std::string(kTools) + "}");
  EXPECT_EQ(request.model, "m");
  EXPECT_TRUE(request.is_streamed);
  EXPECT_EQ(request.warnings, "");
  EXPECT_EQ(document_of(request),
            json::parse(R"({"kind":"generate","max_tokens":64,"thinking":"off",
      "stop":["\n\nHuman:"],"sampling":{"temperature":0.5,"top_k":3},
      "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"messages":[
      {"role":"system","content":"s"},{"role":"user","content":"q"},
      {"role":"assistant","content":"t","reasoning_content":"hm","tool_calls":[{"id":"1",
        "type":"function","function":{"name":"f","arguments":{"a":1}}}]},
      {"role":"tool","tool_call_id":"1","content":"r"},{"role":"user","content":"so?"}]})"));
}

TEST(MessagesRequest, KeepsWhatWasSentOfToolsAndCalls) {
  const GenerationRequest request =
      read(R"({"max_tokens":1,"messages":[{"role":"user","content":"q"},
      {"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f",
        "input":{"x":0.10,"y":36893488147419103232}}]}],
      "tools":[{"type":"custom","input_schema":{"type":"object","maximum":1E3},"strict":true,
        "name":"f","cache_control":{"type":"ephemeral"}}]})");
  const std::string& document = request.prompts.at(0).document;
  for (const char* const part :
       {R"("arguments":{"x":0.10,"y":36893488147419103232})", R"("content":null,"tool_calls")",
        R"("tools":[{"type":"function","function":{"parameters":{"type":"object","maximum":1E3},)"
        R"("strict":true,"name":"f"}}])"}) {
    EXPECT_NE(document.find(part), std::string::npos) << part << "\n" << document;
  }
}

TEST(MessagesRequest, TakesNullForAnEmptyMessageOfTheAssistant) {
  const json::value messages = messages_of(say(R"({"role":"user","content":"q"},
      {"role":"assistant","content":null},{"role":"assistant","content":[]},
      {"role":"user","content":"on"})"));
  EXPECT_EQ(messages.at(1).at("content"), "");
  EXPECT_EQ(messages.at(2).at("content"), "");
}

TEST(MessagesRequest, SaysInTheTextThatAToolFailed) {
  const json::value messages = messages_of(say(R"({"role":"user","content":[
      {"type":"tool_result","tool_use_id":"1","content":"no file","is_error":true},
      {"type":"tool_result","tool_use_id":"2","is_error":true},
      {"type":"tool_result","tool_use_id":"3","content":"fine","is_error":false},
      {"type":"tool_result","tool_use_id":"4"}]})"));
  ASSERT_EQ(messages.as_array().size(), 4U);
  EXPECT_EQ(messages.at(0).at("content"), "Error: no file");
  EXPECT_EQ(messages.at(1).at("content"), "Error");
  EXPECT_EQ(messages.at(2).at("content"), "fine");
  EXPECT_EQ(messages.at(3).at("content"), "");
}

TEST(MessagesRequest, ReadsDocumentsOfPlainText) {
  const std::string document = R"({"type":"document","title":"Notes","context":"of May","source":
      {"type":"text","media_type":"text/plain","data":"It rained."}})";
  const json::value messages = messages_of(say(R"({"role":"user","content":[)" + document + R"(,
      {"type":"text","text":"When?"}]},{"role":"assistant","content":"?"},{"role":"user","content":[
      {"type":"tool_result","tool_use_id":"1","content":[)" +
                                               document + "]}]}"));
  EXPECT_EQ(messages.at(0).at("content"), json::parse(R"([
      {"type":"text","text":"Notes\nof May\nIt rained."},{"type":"text","text":"When?"}])"));
  EXPECT_EQ(messages.at(2).at("content"), "Notes\nof May\nIt rained.");
  const ApiError scan = refusal([] {
    say(R"({"role":"user","content":[{"type":"document","source":{"type":"base64",
        "media_type":"application/pdf","data":"AA=="}}]})");
  });
  EXPECT_EQ(scan.code, "unsupported_content");
}

TEST(MessagesRequest, ContinuesALastMessageOfTheAssistant) {
  const std::string question = R"({"role":"user","content":"q"},)";
  const auto continues = [&](const std::string& last) {
    return document_of(say(question + last)).contains("continue_final_message");
  };
  EXPECT_TRUE(continues(R"({"role":"assistant","content":"The answer is"})"));
  EXPECT_TRUE(continues(R"({"role":"assistant","content":[{"type":"text","text":"a"}]})"));
  EXPECT_FALSE(continues(R"({"role":"assistant","content":""})"));
  EXPECT_FALSE(continues(R"({"role":"assistant","content":[{"type":"text","text":"a"},
      {"type":"tool_use","id":"1","name":"f","input":{}}]})"));
  EXPECT_FALSE(continues(R"({"role":"user","content":"x"})"));
}

// Claude Code's first block differs in each request. What stands behind it has to begin alike.
TEST(MessagesRequest, LeavesBillingDataOutOfTheSystemPrompt) {
  const std::string line = "x-anthropic-billing-header: cc_version=2.1.37.0d9; cch=";
  const auto with_checksum = [&](const std::string& sum) {
    return ask(
        R"("system":[{"type":"text","text":")" + line + sum +
        R"(;"},{"type":"text","text":"You are an agent."},{"type":"text","text":"Be brief."}])");
  };
  const GenerationRequest first = with_checksum("fa690");
  EXPECT_EQ(first.prompts.at(0).document, with_checksum("00000").prompts.at(0).document);
  EXPECT_EQ(messages_of(first).at(0).at("content"),
            json::parse(R"([{"type":"text","text":"You are an agent."},
                            {"type":"text","text":"Be brief."}])"));
  EXPECT_NE(first.warnings.find("x-anthropic-billing-header"), std::string::npos);

  const GenerationRequest joined = ask(R"("system":")" + line + R"(1;\nYou are an agent.")");
  EXPECT_EQ(messages_of(joined).at(0).at("content"), "You are an agent.");
  const GenerationRequest alone = ask(R"("system":")" + line + R"(1;")");
  EXPECT_EQ(messages_of(alone).at(0).at("role"), "user");
  const GenerationRequest quoted = ask(R"("system":"See )" + line + R"(1;")");
  EXPECT_EQ(messages_of(quoted).at(0).at("content").as_string(), "See " + line + "1;");
  EXPECT_EQ(quoted.warnings, "");
}

TEST(MessagesRequest, HandsOnWhichToolsMayBeCalled) {
  const auto choice = [](const std::string& members) {
    json::object document = document_of(ask(std::string(kTools) + R"(,"tool_choice":)" + members));
    return document["tool_choice"];
  };
  EXPECT_EQ(choice(R"({"type":"auto"})"), "auto");
  EXPECT_EQ(choice(R"({"type":"any"})"), "required");
  EXPECT_EQ(choice(R"({"type":"none"})"), "none");
  EXPECT_EQ(choice(R"({"type":"tool","name":"f"})"), json::parse(R"({"name":"f"})"));
  EXPECT_EQ(document_of(ask(std::string(kTools) + R"(,"tool_choice":{"type":"auto",
      "disable_parallel_tool_use":true})"))
                .at("parallel_tool_calls"),
            false);
  EXPECT_FALSE(document_of(ask(R"("tool_choice":{"type":"auto"})")).contains("tool_choice"));
}

TEST(MessagesRequest, LeavesOutToolsOfTheService) {
  const GenerationRequest request =
      ask(R"("tools":[{"type":"web_search_20250305","name":"w","max_uses":3}])");
  EXPECT_FALSE(document_of(request).contains("tools"));
  EXPECT_NE(request.warnings.find("\"web_search_20250305\""), std::string::npos);
}

TEST(MessagesRequest, SwitchesThinking) {
  const auto document = [](const std::string& members) { return document_of(ask(members)); };
  const json::object enabled = document(R"("thinking":{"type":"enabled","budget_tokens":2048})");
  EXPECT_EQ(enabled.at("thinking"), "on");
  EXPECT_EQ(enabled.at("thinking_budget"), 2048);
  EXPECT_EQ(document(R"("thinking":{"type":"adaptive"})").at("thinking"), "on");
  EXPECT_EQ(document(R"("thinking":{"type":"adaptive"},"output_config":{"effort":"high"})")
                .at("thinking"),
            "high");
  EXPECT_EQ(document(R"("thinking":{"type":"disabled"},"output_config":{"effort":"high"})")
                .at("thinking"),
            "off");
  EXPECT_FALSE(document(R"("output_config":{"effort":"high"})").contains("thinking"));
  EXPECT_TRUE(ask(R"("thinking":{"type":"adaptive","display":"omitted"})").hides_thinking);
  EXPECT_FALSE(ask(R"("thinking":{"type":"adaptive","display":"summarized"})").hides_thinking);
}

TEST(MessagesRequest, HoldsTheAnswerToAFormat) {
  const json::object document = document_of(
      ask(R"("output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}})"));
  EXPECT_EQ(document.at("format").at("schema"), json::parse(R"({"type":"object"})"));
}

TEST(MessagesRequest, IgnoresWhatConcernsTheServiceAlone) {
  EXPECT_EQ(ask(R"("service_tier":"auto","context_management":{"edits":[]},"container":"c",
      "mcp_servers":[],"betas":["x"],"output_config":{"effort":"medium"},"cache_control":{})"
                R"(,"inference_geo":"eu")")
                .prompts.at(0)
                .document,
            ask("").prompts.at(0).document);
}

TEST(MessagesRequest, CountsWithoutABudget) {
  const JsonBody body(R"({"messages":[{"role":"user","content":"q"}]})");
  EXPECT_FALSE(document_of(read_messages_to_count(body.object())).contains("max_tokens"));
  EXPECT_EQ(refusal([&] { read_messages_request(body.object()); }).param, "max_tokens");
}

TEST(MessagesRequest, CutsNoBudgetHoweverLarge) {
  EXPECT_EQ(document_of(read(R"({"max_tokens":128000,"messages":[{"role":"user","content":"q"}]})"))
                .at("max_tokens"),
            128000);
}

TEST(MessagesRequest, IsRefusedByNameWhereItWouldBindTheAnswer) {
  for (const auto& [members, param] : testing::kBinding) {
    EXPECT_EQ(refusal([&, &text = members] { ask(text); }).param, param);
  }
  ask(testing::kHarmless);
}

TEST(MessagesRequest, IsRefusedByName) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"max_tokens":1})", "messages"},
      {R"({"max_tokens":1,"messages":[]})", "messages"},
      {R"({"max_tokens":1,"messages":["x"]})", "messages"},
      {R"({"max_tokens":1,"messages":[{"role":"tool","content":"x"}]})", "messages[0].role"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":7}]})", "messages[0].content"},
      {R"({"max_tokens":1,"messages":[{"role":"user"}]})", "messages[0].content"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"system":5})", "system"},
      {R"({"max_tokens":0,"messages":[{"role":"user","content":"x"}]})", "max_tokens"},
      {R"({"max_tokens":1.5,"messages":[{"role":"user","content":"x"}]})", "max_tokens"},
  };
  for (const auto& [text, param] : cases) {
    EXPECT_EQ(refusal([&, &body = text] { read(body); }).param, param) << text;
  }
  const std::string tools = std::string(kTools) + ",";
  const std::pair<std::string, std::string> members[] = {
      {R"("tools":[{"name":"f"}])", "tools[0].input_schema"},
      {R"("tools":[{"input_schema":{}}])", "tools[0].name"},
      {R"("tools":[{"name":"","input_schema":{}}])", "tools[0].name"},
      {R"("tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}])",
       "tools[1].name"},
      {R"("tool_choice":{"type":"any"})", "tool_choice.type"},
      {R"("tool_choice":"any")", "tool_choice"},
      {tools + R"("tool_choice":{"type":"tool","name":"g"})", "tool_choice.name"},
      {tools + R"("tool_choice":{"type":"tool"})", "tool_choice.name"},
      {tools + R"("tool_choice":{"type":"required"})", "tool_choice.type"},
      {R"("thinking":{"type":"on"})", "thinking.type"},
      {R"("thinking":{"type":"enabled","budget_tokens":-1})", "thinking.budget_tokens"},
      {R"("thinking":{"type":"enabled","display":"all"})", "thinking.display"},
      {R"("stop_sequences":[1])", "stop_sequences"},
      {R"("n":2)", "n"},
      {R"("temperature":"hot")", "temperature"},
  };
  for (const auto& [text, param] : members) {
    EXPECT_EQ(refusal([&, &more = text] { ask(more); }).param, param) << text;
  }
}

TEST(MessagesRequest, RefusesWhatNoModelHereCanRead) {
  const ApiError image = refusal([] {
    say(R"({"role":"user","content":[{"type":"text","text":"see"},{"type":"image","source":
        {"type":"base64","media_type":"image/png","data":"AA=="}}]})");
  });
  EXPECT_EQ(image.status, 400U);
  EXPECT_EQ(image.code, "unsupported_content");
  EXPECT_EQ(image.param, "messages[0].content[1].type");
  EXPECT_NE(image.message.find("text only"), std::string::npos) << image.message;
  const ApiError inner = refusal([] {
    say(R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[
        {"type":"image","source":{}}]}]})");
  });
  EXPECT_EQ(inner.param, "messages[0].content[0].content[0].type");
  const ApiError call = refusal([] {
    say(R"({"role":"user","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]})");
  });
  EXPECT_EQ(call.code, "invalid_value");
  EXPECT_NE(call.message.find("text or tool_result"), std::string::npos) << call.message;
}

TEST(MessagesRequest, IsAskedForOneAnswer) {
  EXPECT_NO_THROW(ask(R"("n":1)"));
  const ApiError error = refusal([] { ask(R"("n":2)"); });
  EXPECT_EQ(error.param, "n");
  EXPECT_NE(error.message.find("a message is one answer"), std::string::npos) << error.message;
}

TEST(MessagesRequest, RefusesPicturesByTheirPlace) {
  const std::string picture =
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}})";
  const ApiError error = refusal([&] {
    say(R"({"role":"user","content":"q"},{"role":"assistant","content":"a"},
        {"role":"user","content":[)" +
        picture + R"(,{"type":"text","text":"What is this?"}]})");
  });
  EXPECT_EQ(error.status, 400U);
  EXPECT_EQ(error.code, "unsupported_content");
  EXPECT_EQ(error.param, "messages[2].content[0].type");
  EXPECT_EQ(error.message,
            "Invalid value for 'messages[2].content[0].type': expected a block of type text or "
            "tool_result, found \"image\"; the models of this server read text only.");
  const ApiError result = refusal([&] {
    say(R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[)" +
        picture + "]}]}");
  });
  EXPECT_EQ(result.param, "messages[0].content[0].content[0].type");
}

}  // namespace
}  // namespace vernal::openai_http
