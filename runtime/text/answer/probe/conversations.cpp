#include "text/answer/probe/conversations.hpp"

#include <boost/json.hpp>
#include <cstdint>
#include <utility>

#include "text/answer/answer_syntax.hpp"

namespace vernal::probe {
namespace {

namespace json = boost::json;

constexpr std::string_view kUser = "Zyxuser";
constexpr std::uint64_t kProbeSteps = 200'000;

json::string as_json(std::string_view text) { return json::string(text.data(), text.size()); }

json::object assistant(json::value content) {
  return {{"role", "assistant"}, {"content", std::move(content)}};
}

json::object result() {
  return {{"role", "tool"},
          {"content", as_json(kResult)},
          {"tool_call_id", as_json(kExampleId)},
          {"name", as_json(kExampleTool)}};
}

}  // namespace

const std::vector<ToolDefinition>& probe_tools() {
  static const std::vector<ToolDefinition> kTools = [] {
    json::object properties;
    properties[kExampleKey] = {{"type", "string"}, {"description", "Probe."}};
    return read_tools({json::object{
        {"type", "function"},
        {"function",
         {{"name", as_json(kExampleTool)},
          {"description", "Probe."},
          {"parameters", {{"type", "object"}, {"properties", std::move(properties)}}}}}}});
  }();
  return kTools;
}

Conversations::Conversations(const ChatTemplate& chat_template,
                             const TemplateCapabilities& capabilities)
    : template_(chat_template), capabilities_(capabilities) {
  limits_.max_steps = kProbeSteps;
}

std::string Conversations::prompt(bool generates) const { return render({user()}, generates); }

std::string Conversations::with_call() const {
  json::object message = assistant(empty_content());
  message["tool_calls"] = json::array{call()};
  return render({user(), std::move(message), result()}, false);
}

std::string Conversations::with_answer(bool has_reasoning) const {
  json::object message = assistant(json::value(as_json(kText)));
  if (has_reasoning) message[capabilities_.reasoning_member] = as_json(kReasoning);
  return render({user(), std::move(message)}, false);
}

std::string Conversations::with_reasoned_call() const {
  json::object message = assistant(empty_content());
  message["tool_calls"] = json::array{call()};
  message[capabilities_.reasoning_member] = as_json(kReasoning);
  return render({user(), std::move(message), result()}, false);
}

json::object Conversations::user() const {
  json::object message{{"role", "user"}};
  if (capabilities_.requires_content_parts) {
    message["content"] = json::array{json::object{{"type", "text"}, {"text", as_json(kUser)}}};
  } else {
    message["content"] = as_json(kUser);
  }
  return message;
}

json::value Conversations::empty_content() const {
  return capabilities_.empty_content == EmptyContent::kNull ? json::value() : json::value("");
}

json::object Conversations::call() const {
  json::object arguments;
  arguments[kExampleKey] = as_json(kExampleValue);
  json::value sent = arguments;
  if (capabilities_.arguments == ArgumentForm::kText) sent = json::string(json::serialize(sent));
  return {{"id", as_json(kExampleId)},
          {"type", "function"},
          {"function", {{"name", as_json(kExampleTool)}, {"arguments", std::move(sent)}}}};
}

std::string Conversations::render(json::array messages, bool generates) const {
  ChatTemplate::Inputs inputs;
  inputs.messages = std::move(messages);
  inputs.tools = {probe_tools().front().definition};
  inputs.add_generation_prompt = generates;
  inputs.bos_token = "<s>";
  inputs.eos_token = "</s>";
  try {
    return template_.render(inputs, limits_, [] { return LocalTime{}; });
  } catch (const TemplateError&) {
    return {};
  }
}

}  // namespace vernal::probe
