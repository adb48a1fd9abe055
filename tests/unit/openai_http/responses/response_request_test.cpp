// What clients of the Responses API send, as requests to the engine.
#include "openai_http/responses/response_request.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_body.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

Conversation nothing_stored(std::string_view id) {
  throw RequestRefused(unknown_previous_response(id));
}

std::optional<json::object> no_item(std::string_view) { return std::nullopt; }

ResponseRequest read(const std::string& text,
                     const StoredItems& stored = {nothing_stored, no_item}) {
  return read_response_request(JsonBody(text).object(), stored);
}

json::value document_of(const std::string& text) {
  return json::parse(read(text).generation.prompts.front().document);
}

ApiError refusal_of(const std::string& text) {
  try {
    read(text);
  } catch (const RequestRefused& refused) {
    return refused.error();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(ResponseRequest, TakesATextWithInstructions) {
  const json::value document =
      document_of(R"({"model":"m","input":"Hi","instructions":"Be brief.","max_output_tokens":7,
                      "temperature":0.5,"top_p":0.9,"stream":true})");
  EXPECT_EQ(document.at("messages"), json::parse(R"([{"role":"system","content":"Be brief."},
                                                     {"role":"user","content":"Hi"}])"));
  EXPECT_EQ(document.at("max_tokens"), 7);
  EXPECT_EQ(document.at("sampling").at("top_p"), 0.9);
}

TEST(ResponseRequest, PutsTheItemsOfAnAnswerIntoOneMessage) {
  const json::value document = document_of(R"({"input":[
      {"role":"developer","content":"d"},
      {"type":"message","role":"user","content":[{"type":"input_text","text":"a"},
                                                 {"type":"input_text","text":"b"}]},
      {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"short"}],
       "content":[{"type":"reasoning_text","text":"long"}]},
      {"type":"message","role":"assistant","id":"msg_1","status":"completed",
       "content":[{"type":"output_text","text":"Look.","annotations":[]}]},
      {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"},
      {"type":"function_call","call_id":"c2","name":"f","arguments":{"x":2}},
      {"type":"function_call_output","call_id":"c1","output":"one"},
      {"type":"function_call_output","call_id":"c2",
       "output":[{"type":"input_text","text":"two"}]},
      {"type":"web_search_call","id":"ws_1"},
      {"type":"reasoning","summary":[{"type":"summary_text","text":"why"}]},
      {"type":"function_call","call_id":"c3","name":"g","arguments":""},
      {"role":"user","content":"so?"}]})");
  EXPECT_EQ(document.at("messages"), json::parse(R"([
      {"role":"system","content":"d"},
      {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
      {"role":"assistant","content":"Look.","reasoning_content":"long","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
        {"id":"c2","type":"function","function":{"name":"f","arguments":"{\"x\":2}"}}]},
      {"role":"tool","tool_call_id":"c1","content":"one"},
      {"role":"tool","tool_call_id":"c2","content":"two"},
      {"role":"assistant","content":null,"reasoning_content":"why","tool_calls":[
        {"id":"c3","type":"function","function":{"name":"g","arguments":""}}]},
      {"role":"user","content":"so?"}])"));
}

TEST(ResponseRequest, KeepsAnswersApart) {
  const json::value document = document_of(R"({"input":[
      {"role":"assistant","content":"one"},{"role":"assistant","content":"two"},
      {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"lost"}]},
      {"role":"user","content":"go on"}]})");
  EXPECT_EQ(document.at("messages"), json::parse(R"([{"role":"assistant","content":"one"},
      {"role":"assistant","content":"two"},{"role":"user","content":"go on"}])"));
}

TEST(ResponseRequest, GivesItemsIdsAndOneForm) {
  const json::value items = json::parse(read(R"({"input":[{"role":"user","content":"a"},
      {"id":"msg_7","role":"assistant","content":"b"}]})")
                                            .input);
  EXPECT_TRUE(items.at(0).at("id").as_string().starts_with("msg_"));
  EXPECT_EQ(items.at(0).at("type"), "message");
  EXPECT_EQ(items.at(0).at("content"), json::parse(R"([{"type":"input_text","text":"a"}])"));
  EXPECT_EQ(items.at(1).at("id"), "msg_7");
  EXPECT_EQ(items.at(1).at("content").at(0).at("type"), "output_text");
}

TEST(ResponseRequest, ReadsFlatTools) {
  const std::string tools = R"("tools":[{"type":"function","name":"f","description":"d",
      "parameters":{"type":"object","properties":{"x":{"maximum":0.10}}},"strict":true},
      {"type":"web_search"},{"type":"custom","name":"apply"},{"type":"function","name":"g"}])";
  const json::value document =
      document_of(R"({"input":"a","parallel_tool_calls":false,)" + tools + "}");
  EXPECT_EQ(document.at("tools").as_array().size(), 2U);
  EXPECT_EQ(json::serialize(document.at("tools").at(0).at("function").at("parameters")),
            R"({"type":"object","properties":{"x":{"maximum":1E-1}}})");
  EXPECT_EQ(document.at("parallel_tool_calls"), false);
  const std::string text = read(R"({"input":"a",)" + tools + "}").generation.prompts.at(0).document;
  EXPECT_NE(text.find("0.10"), std::string::npos);
  const auto choice = [&](const std::string& value) {
    return document_of(R"({"input":"a","tool_choice":)" + value + "," + tools + "}");
  };
  EXPECT_EQ(choice(R"("required")").at("tool_choice"), "required");
  EXPECT_EQ(choice(R"({"type":"function","name":"f"})").at("tool_choice"),
            json::parse(R"({"name":"f"})"));
  const json::value allowed = choice(
      R"({"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]})");
  EXPECT_EQ(allowed.at("tool_choice"), "required");
  EXPECT_EQ(allowed.at("allowed_tools"), json::parse(R"(["g"])"));
  const json::object settings = read(R"({"input":"a",)" + tools + "}").settings;
  EXPECT_EQ(settings.at("tools").as_array().size(), 2U);
  EXPECT_EQ(settings.at("tools").at(1), json::parse(R"({"type":"function","description":null,
      "parameters":null,"strict":null,"name":"g"})"));
}

TEST(ResponseRequest, ReadsFormatThinkingAndLogprobs) {
  const json::value document = document_of(R"({"input":"a","reasoning":{"effort":"low"},
      "text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}},
      "top_logprobs":2})");
  EXPECT_EQ(document.at("format"),
            json::parse(R"({"type":"json_schema","schema":{"type":"object"},"strict":true})"));
  EXPECT_EQ(document.at("thinking"), "low");
  EXPECT_EQ(document.at("logprobs"), 2);
  EXPECT_EQ(document_of(R"({"input":"a","reasoning":{"effort":"none"}})").at("thinking"), "off");
  EXPECT_EQ(
      document_of(R"({"input":"a","include":["message.output_text.logprobs"]})").at("logprobs"), 0);
  EXPECT_EQ(document_of(R"({"input":"a","text":{"format":{"type":"json_object"}}})")
                .at("format")
                .at("type"),
            "json");
  EXPECT_FALSE(
      document_of(R"({"input":"a","text":{"verbosity":"low"}})").as_object().contains("format"));
}

TEST(ResponseRequest, RepeatsItsSettings) {
  const json::object settings = read(R"({"input":"a","metadata":{"k":"v"},"user":"u","store":false,
      "instructions":"i","temperature":0.25,"text":{"verbosity":"low"},"truncation":"auto"})")
                                    .settings;
  EXPECT_EQ(settings.at("metadata"), json::parse(R"({"k":"v"})"));
  EXPECT_EQ(settings.at("user"), "u");
  EXPECT_EQ(settings.at("store"), false);
  EXPECT_EQ(settings.at("instructions"), "i");
  EXPECT_EQ(settings.at("temperature"), 0.25);
  EXPECT_TRUE(settings.at("top_p").is_null());
  EXPECT_EQ(settings.at("tool_choice"), "auto");
  EXPECT_EQ(settings.at("text"), json::parse(R"({"verbosity":"low","format":{"type":"text"}})"));
  EXPECT_EQ(settings.at("truncation"), "disabled");
}

TEST(ResponseRequest, ReferencesStandForStoredItems) {
  const std::string items = R"([{"id":"fc_1","type":"function_call","call_id":"c","name":"f",
      "arguments":"{}","status":"completed"},{"id":"fc_2","type":"function_call","call_id":"d",
      "name":"g","arguments":"{}","status":"completed"}])";
  const StoredItems stored{nothing_stored,
                           [&](std::string_view id) { return item_with_id(items, id); }};
  const ResponseRequest request = read(R"({"input":[{"role":"user","content":"go"},
      {"type":"item_reference","id":"fc_2"},
      {"type":"function_call_output","call_id":"d","output":"r"}]})",
                                       stored);
  EXPECT_EQ(json::parse(request.generation.prompts.front().document).at("messages"),
            json::parse(R"([{"role":"user","content":"go"},
      {"role":"assistant","content":null,"tool_calls":[
        {"id":"d","type":"function","function":{"name":"g","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"d","content":"r"}])"));
  ASSERT_EQ(request.item_ids.size(), 3U);
  EXPECT_EQ(request.item_ids[1], "fc_2") << "stored as the item itself";
  EXPECT_FALSE(item_with_id(items, "fc_3"));
}

TEST(ResponseRequest, GoesOnFromWhatIsStored) {
  ResponseStore store({.max_responses = 1, .max_bytes = 10'000, .max_age = std::chrono::hours(1)});
  const std::string input = read(R"({"input":"one"})").input;
  store.put(0, "resp_1", {"{}", {}, input, R"([{"id":"fc_1","type":"function_call",
      "call_id":"c","name":"f","arguments":"{}","status":"completed"}])"});
  const FindConversation find = [&](std::string_view id) {
    return store.find(0, id)->conversation();
  };
  const ResponseRequest request =
      read(R"({"previous_response_id":"resp_1","instructions":"new","input":[
               {"type":"function_call_output","call_id":"c","output":"r"}]})",
           {find, no_item});
  EXPECT_EQ(json::parse(request.generation.prompts.front().document).at("messages"),
            json::parse(R"([{"role":"system","content":"new"},{"role":"user","content":"one"},
      {"role":"assistant","content":null,"tool_calls":[
        {"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"c","content":"r"}])"));
  EXPECT_EQ(request.history.size(), 2U);
  EXPECT_EQ(request.settings.at("previous_response_id"), "resp_1");
  const ApiError unknown = refusal_of(R"({"previous_response_id":"resp_x","input":"a"})");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_EQ(unknown.code, "previous_response_not_found");
}

TEST(ResponseRequest, RefusesByName) {
  for (const auto& [text, param] : std::map<std::string, std::string>{
           {R"({})", "input"},
           {R"({"input":[]})", "input"},
           {R"({"input":[{"type":"web_search_call"}],"instructions":"i"})", "input"},
           {R"({"input":[{"type":"reasoning","summary":[]}]})", "input"},
           {R"({"input":5})", "input"},
           {R"({"input":[5]})", "input"},
           {R"({"input":[{"content":"a"}]})", "input[0].type"},
           {R"({"input":[{"role":"robot","content":"a"}]})", "input[0].role"},
           {R"({"input":[{"role":"user"}]})", "input[0].content"},
           {R"({"input":[{"role":"user","content":[{"type":"input_image"}]}]})",
            "input[0].content[0].type"},
           {R"({"input":[{"type":"function_call","name":"f"}]})", "input[0].call_id"},
           {R"({"input":[{"type":"function_call_output","call_id":"c"}]})", "input[0].output"},
           {R"({"input":[{"type":"item_reference","id":"msg_1"}]})", "input[0].id"},
           {R"({"input":[{"type":"item_reference"}]})", "input[0].id"},
           {R"({"input":"a","background":true})", "background"},
           {R"({"input":"a","conversation":"c"})", "conversation"},
           {R"({"input":"a","prompt":{"id":"p"}})", "prompt"},
           {R"({"input":"a","n":2})", "n"},
           {R"({"input":"a","top_logprobs":21})", "top_logprobs"},
           {R"({"input":"a","temperature":"warm"})", "temperature"},
           {R"({"input":"a","metadata":5})", "metadata"},
           {R"({"input":"a","tools":[{"name":"f"}]})", "tools[0].type"},
           {R"({"input":"a","tools":[{"type":"function"}]})", "tools[0].name"},
           {R"({"input":"a","tools":[{"type":"web_search"},{"type":"function","name":"f"},
                {"type":"function","name":"f"}]})",
            "tools[2].name"},
           {R"({"input":"a","tools":[{"type":"function","name":"f","parameters":1}]})",
            "tools[0].parameters"},
           {R"({"input":"a","tools":[{"type":"function","function":{"name":""}}]})",
            "tools[0].function.name"},
           {R"({"input":"a","tool_choice":{"type":"function","name":"f"}})", "tool_choice"},
           {R"({"input":"a","text":{"format":{"type":"xml"}}})", "text.format.type"},
       }) {
    const ApiError error = refusal_of(text);
    EXPECT_EQ(error.status, 400U) << text;
    EXPECT_EQ(error.param, param) << text << " " << error.message;
    EXPECT_GE(error.message.size(), 30U) << text;
  }
}

TEST(ResponseRequest, RefusesPicturesByTheirPlace) {
  const ApiError error = refusal_of(R"({"input":[{"role":"user","content":"q"},
      {"type":"message","role":"user","content":[{"type":"input_text","text":"What is this?"},
        {"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]})");
  EXPECT_EQ(error.status, 400U);
  EXPECT_EQ(error.code, "unsupported_content");
  EXPECT_EQ(error.param, "input[1].content[1].type");
  EXPECT_EQ(error.message,
            "Invalid value for 'input[1].content[1].type': expected a content part of type "
            "input_text or output_text, found \"input_image\"; the models of this server read "
            "text only.");
  const ApiError result = refusal_of(R"({"input":[{"role":"user","content":"q"},
      {"type":"function_call_output","call_id":"c","output":[{"type":"input_file"}]}]})");
  EXPECT_EQ(result.code, "unsupported_content");
  EXPECT_EQ(result.param, "input[1].output[0].type");
}

}  // namespace
}  // namespace vernal::openai_http
