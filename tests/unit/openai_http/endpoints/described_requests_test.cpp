// The description of the API knows what requests are read for. Nothing is listed here twice: the
// candidates are all words of the frontend's own sources, and a request with one of them tells
// whether it is read.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "openai_http/anthropic/messages_request.hpp"
#include "openai_http/native/completion_request.hpp"
#include "openai_http/native/infill_request.hpp"
#include "openai_http/native/native_request.hpp"
#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/completion_request.hpp"
#include "openai_http/openai/embedding_request.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "openai_http/responses/response_request.hpp"
#include "unit/openai_http/endpoints/described_request.hpp"

namespace vernal::openai_http::testing {
namespace {

namespace json = boost::json;

/// Texts in quotes that look like a name, from all sources of the frontend.
const std::set<std::string>& words_of_the_sources() {
  static const std::set<std::string> words = [] {
    std::set<std::string> out;
    const std::regex quoted("\"([a-z][a-z0-9_]*)\"");
    const std::filesystem::path root = VERNAL_SOURCE_DIR "/plugins/frontends/openai_http";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cpp") continue;
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      for (std::sregex_iterator found(text.begin(), text.end(), quoted), end; found != end;
           ++found) {
        out.insert((*found)[1]);
      }
    }
    return out;
  }();
  return words;
}

/// All that a request asks for, as text.
std::string summary(const GenerationRequest& request) {
  std::string out;
  for (const EnginePrompt& prompt : request.prompts) {
    out += prompt.document + prompt.echoed + std::to_string(prompt.tokens.size()) + ";";
  }
  out += request.model + ";" + request.suffix + ";" + request.warnings;
  for (const bool flag :
       {request.is_streamed, request.include_usage, request.timings_per_token,
        request.reports_progress, request.answers_function_call, request.hides_thinking,
        request.wants_logprobs, request.wants_base64, request.is_normalized}) {
    out += flag ? '1' : '0';
  }
  out += std::to_string(request.num_choices) + ";" + std::to_string(request.num_alternatives);
  if (request.native == nullptr) return out;
  const NativeRequest& native = *request.native;
  for (const std::string& field : native.response_fields) out += field;
  for (const bool flag : {native.returns_tokens, native.returns_progress, native.returns_timings,
                          native.discards_text}) {
    out += flag ? '1' : '0';
  }
  return out + std::to_string(native.max_new_tokens) + native.infill.prefix + native.infill.suffix +
         std::to_string(native.infill.files.size()) + std::to_string(native.prompts.size()) +
         std::to_string(native.prompts.front().size());
}

std::string read_response(const json::object& body) {
  const auto nothing = [](std::string_view id) -> Conversation {
    throw RequestRefused(unknown_previous_response(id));
  };
  const ResponseRequest request =
      read_response_request(body, {nothing, [](std::string_view) { return std::nullopt; }});
  return summary(request.generation) + json::serialize(request.settings) +
         (request.is_to_be_stored ? "1" : "0");
}

template <GenerationRequest (*read)(const json::object&)>
std::string read_generation(const json::object& body) {
  return summary(read(body));
}

/// An endpoint, and a request that it takes.
struct Api {
  std::string path;
  std::string (*read)(const json::object& body);  // throws RequestRefused
  std::string body;
};

const std::vector<Api>& apis() {
  static const std::vector<Api> out = {
      {"/v1/chat/completions", read_generation<read_chat_request>,
       R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
           {"role":"user","content":"c"}],"logprobs":true})"},
      {"/v1/completions", read_generation<read_completion_request>, R"({"prompt":"a"})"},
      {"/v1/embeddings", read_generation<read_embedding_request>, R"({"input":"a"})"},
      {"/v1/responses", read_response, R"({"input":"a"})"},
      {"/v1/messages", read_generation<read_messages_request>,
       R"({"max_tokens":9,"messages":[{"role":"user","content":"a"}]})"},
      {"/completion", read_generation<read_native_completion>, R"({"prompt":"a"})"},
      {"/infill", read_generation<read_infill>, R"({"input_prefix":"a","input_suffix":"b"})"},
      {"/embedding", read_generation<read_native_embedding>, R"({"content":"a"})"},
  };
  return out;
}

const Api& api(const std::string& path) {
  return *std::find_if(apis().begin(), apis().end(),
                       [&](const Api& candidate) { return candidate.path == path; });
}

/// Whether a member has to do with the request: it is refused for it, or asks for something else than
/// `taken`. A refusal because this server cannot do what it asks for says that it is not taken.
bool is_understood(const Api& api, const std::string& taken, const json::value& body) {
  try {
    return api.read(JsonBody(json::serialize(body)).object()) != taken;
  } catch (const RequestRefused& refused) {
    return refused.error().code != "unsupported_parameter";
  }
}

/// Values for a member that nobody knows: one of them is refused or changes something.
std::vector<json::value> unlikely_values() {
  json::object every_name;
  for (const std::string& word : words_of_the_sources()) every_name[word] = "x";
  return {true,
          false,
          0,
          -7,
          2.5,
          "x",
          json::array(),
          json::array{"x"},
          json::array{every_name},
          json::object(),
          every_name};
}

json::object& object_at(json::value& body, const std::string& place) {
  return (place.empty() ? body : body.at_pointer(place)).as_object();
}

/// Checks each member that is read at a place of a request that is taken. Returns how many there are.
std::size_t expect_members(const Api& api, const std::string& body, const std::string& place,
                           const DescribedPlace& described) {
  static const std::vector<json::value> values = unlikely_values();
  const std::string taken = api.read(JsonBody(body).object());
  const auto is_read = [&](const std::string& name) {
    return std::any_of(values.begin(), values.end(), [&](const json::value& value) {
      json::value changed = json::parse(body);
      json::object& object = object_at(changed, place);
      if (object.contains(name)) return true;
      object[name] = value;
      return is_understood(api, taken, changed);
    });
  };
  std::size_t num_read = 0;
  for (const std::string& word : words_of_the_sources()) {
    if (!is_read(word)) continue;
    ++num_read;
    EXPECT_TRUE(described.at(word).is_described())
        << api.path << " reads " << place << "/" << word << ", and /openapi.json does not say so";
  }
  return num_read;
}

TEST(DescribedRequests, HaveEveryMemberThatIsRead) {
  for (const Api& api : apis()) {
    EXPECT_GT(expect_members(api, api.body, "", DescribedPlace(api.path)), 2U) << api.path;
  }
}

TEST(DescribedRequests, HaveEveryMemberOfMessages) {
  const DescribedPlace chat("/v1/chat/completions");
  for (const std::string role : {"system", "user", "assistant", "tool", "function"}) {
    const std::string body = R"({"messages":[{"role":"user","content":"q"},{"role":")" + role +
                             R"(","content":"a","name":"f"},{"role":"user","content":"c"}]})";
    EXPECT_GT(expect_members(api("/v1/chat/completions"), body, "/messages/1",
                             chat.at("messages").at("*")),
              2U)
        << role;
  }
}

/// A place that takes certain words. In `body`, "@" stands for the word.
struct Words {
  std::string path;
  std::string body;
  std::vector<std::string> place;
  std::size_t least;  // so many words are taken, or more
};

const std::vector<Words>& places_with_words() {
  static const std::vector<Words> out = {
      {"/v1/chat/completions",
       R"({"messages":[{"role":"@","content":"a","name":"f"}]})",
       {"messages", "*", "role"},
       6},
      {"/v1/chat/completions",
       R"({"messages":[{"role":"user","content":[{"type":"@","text":"a",
        "refusal":"b"}]}]})",
       {"messages", "*", "content", "*", "type"},
       2},
      {"/v1/chat/completions",
       R"({"messages":[{"role":"user","content":"q"},{"role":"assistant",
        "content":[{"type":"@","text":"a","refusal":"b"}]}]})",
       {"messages", "*", "content", "*", "type"},
       5},
      {"/v1/chat/completions",
       R"({"messages":[{"role":"user","content":"q"}],
        "response_format":{"type":"@","schema":true}})",
       {"response_format", "type"},
       3},
      {"/v1/chat/completions",
       R"({"messages":[{"role":"user","content":"q"}],"tool_choice":"@",
        "tools":[{"type":"function","function":{"name":"f"}}]})",
       {"tool_choice"},
       3},
      {"/v1/chat/completions",
       R"({"messages":[{"role":"user","content":"q"}],"tool_choice":
        {"type":"@","function":{"name":"f"},"allowed_tools":{"tools":[{"function":{"name":"f"}}]}},
        "tools":[{"type":"function","function":{"name":"f"}}]})",
       {"tool_choice", "type"},
       2},
      {"/v1/responses",
       R"({"input":[{"type":"message","role":"@","content":"a"}]})",
       {"input", "*", "role"},
       4},
      {"/v1/responses",
       R"({"input":[{"role":"user","content":"q"},{"type":"@","role":"user","content":"a",
        "call_id":"c","name":"f","output":"o","id":"i","summary":[{"text":"t"}]},
        {"role":"assistant","content":"b"}]})",
       {"input", "*", "type"},
       5},
      {"/v1/responses",
       R"({"input":[{"role":"user","content":[{"type":"@","text":"a","refusal":"b"}]}]})",
       {"input", "*", "content", "*", "type"},
       4},
      {"/v1/messages",
       R"({"max_tokens":9,"messages":[{"role":"@","content":"a"}]})",
       {"messages", "*", "role"},
       3},
      {"/v1/messages",
       R"({"max_tokens":9,"messages":[{"role":"user","content":[{"type":"@","text":"a",
        "tool_use_id":"c","source":{"type":"text","data":"d"}}]}]})",
       {"messages", "*", "content", "*", "type"},
       3},
      {"/v1/messages",
       R"({"max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"@","text":"a",
        "id":"c","name":"f","thinking":"t","source":{"type":"text","data":"d"}}]}]})",
       {"messages", "*", "content", "*", "type"},
       5},
      {"/v1/messages",
       R"({"max_tokens":9,"messages":[{"role":"user","content":"a"}],
        "thinking":{"type":"@"}})",
       {"thinking", "type"},
       4},
      {"/v1/messages",
       R"({"max_tokens":9,"messages":[{"role":"user","content":"a"}],
        "tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"@","name":"f"}})",
       {"tool_choice", "type"},
       4},
      {"/v1/embeddings", R"({"input":"a","encoding_format":"@"})", {"encoding_format"}, 2},
  };
  return out;
}

std::string with_word(const Words& words, const std::string& word) {
  std::string body = words.body;
  return body.replace(body.find('@'), 1, word);
}

/// Whether the word is taken, and means something.
bool is_taken(const Words& words, const std::string& word) {
  const auto read = [&](const std::string& text) -> std::string {
    try {
      return api(words.path).read(JsonBody(with_word(words, text)).object());
    } catch (const RequestRefused& refused) {
      // An item that is not stored is asked for: the word was understood.
      return refused.error().param.ends_with(".id") ? "asked" : "";
    }
  };
  const std::string made = read(word);
  return !made.empty() && made != read("a_word_of_no_meaning");
}

TEST(DescribedRequests, ListEveryWordThatIsTaken) {
  for (const Words& words : places_with_words()) {
    DescribedPlace described(words.path);
    for (const std::string& step : words.place) described = described.at(step);
    std::size_t num_taken = 0;
    for (const std::string& word : words_of_the_sources()) {
      if (!is_taken(words, word)) continue;
      ++num_taken;
      EXPECT_TRUE(described.lists(word)) << words.path << ": \"" << word << "\" in " << words.body;
    }
    EXPECT_GE(num_taken, words.least) << words.path << ": " << words.body;
  }
}

}  // namespace
}  // namespace vernal::openai_http::testing
