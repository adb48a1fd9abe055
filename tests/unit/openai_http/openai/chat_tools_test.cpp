// Tools of a chat, and which of them may be called.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "unit/openai_http/openai/chat_bodies.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::chat;
using testing::chat_refusal;
using testing::document_of;

TEST(ChatRequest, HandsOnThatOneCallIsEnough) {
  EXPECT_EQ(document_of(chat(R"("parallel_tool_calls":false)")).at("parallel_tool_calls"), false);
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

}  // namespace
}  // namespace vernal::openai_http
