#include "text/chat_template.hpp"

#include <boost/json/value.hpp>
#include <utility>

namespace vernal {
namespace {

// Words that no template contains by itself.
constexpr std::string_view kSystemWord = "Zyxsystem";
constexpr std::string_view kUserWord = "Zyxuser";
constexpr std::string_view kToolWord = "zyx_tool";
constexpr std::string_view kArgumentWord = "zyx_argument";
constexpr std::string_view kResultWord = "Zyxresult";
constexpr std::uint64_t kProbeSteps = 100'000;

boost::json::string json_text(std::string_view text) {
  return boost::json::string(text.data(), text.size());
}

boost::json::object message(std::string_view role, boost::json::value content) {
  return {{"role", json_text(role)}, {"content", std::move(content)}};
}

boost::json::value text_parts(std::string_view text) {
  return boost::json::array{boost::json::object{{"type", "text"}, {"text", json_text(text)}}};
}

boost::json::object probe_tool() {
  return {{"type", "function"},
          {"function",
           {{"name", json_text(kToolWord)},
            {"description", "Probe."},
            {"parameters",
             {{"type", "object"},
              {"properties", {{json_text(kArgumentWord), {{"type", "integer"}}}}},
              {"required", boost::json::array{json_text(kArgumentWord)}}}}}}};
}

boost::json::array tool_call_conversation(boost::json::value arguments) {
  boost::json::object call = {
      {"id", "call00001"},
      {"type", "function"},
      {"function", {{"name", json_text(kToolWord)}, {"arguments", std::move(arguments)}}}};
  boost::json::object assistant = message("assistant", "");
  assistant["tool_calls"] = boost::json::array{std::move(call)};
  boost::json::object result = message("tool", json_text(kResultWord));
  result["tool_call_id"] = "call00001";
  result["name"] = json_text(kToolWord);
  return {message("user", json_text(kUserWord)), std::move(assistant), std::move(result)};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Renders probe conversations of one template.
class Probe {
 public:
  explicit Probe(const ChatTemplate& chat_template) : chat_template_(chat_template) {
    limits_.max_steps = kProbeSteps;
  }

  TemplateCapabilities run() const {
    TemplateCapabilities found;
    const std::string plain = render({message("user", json_text(kUserWord))});
    const std::string parts = render({message("user", text_parts(kUserWord))});
    // A list that is merely printed shows its keys.
    found.accepts_content_parts =
        has(parts, kUserWord) && !has(parts, "'type'") && !has(parts, "\"type\"");
    found.requires_content_parts = found.accepts_content_parts && !has(plain, kUserWord);
    const auto user = [&] {
      return message("user", found.requires_content_parts
                                 ? text_parts(kUserWord)
                                 : boost::json::value(json_text(kUserWord)));
    };
    const boost::json::value system_text = json_text(kSystemWord);
    found.supports_system_role =
        has(render({message("system", system_text), user()}), kSystemWord) ||
        has(render({message("system", text_parts(kSystemWord)), user()}), kSystemWord);
    found.supports_tools = has(render({user()}, {probe_tool()}), kToolWord);
    probe_tool_calls(found);
    found.has_thinking_switch = chat_template_.mentions("enable_thinking");
    return found;
  }

 private:
  /// The prompt, or nothing if the template fails.
  std::string render(boost::json::array messages, boost::json::array tools = {}) const {
    ChatTemplate::Inputs inputs;
    inputs.messages = std::move(messages);
    inputs.tools = std::move(tools);
    inputs.bos_token = "<s>";
    inputs.eos_token = "</s>";
    try {
      return chat_template_.render(inputs, limits_, [] { return LocalTime{}; });
    } catch (const TemplateError&) {
      return {};
    }
  }

  void probe_tool_calls(TemplateCapabilities& found) const {
    const std::string as_object = render(
        tool_call_conversation(boost::json::object{{json_text(kArgumentWord), 1}}), {probe_tool()});
    const std::string as_text =
        render(tool_call_conversation(json_text(fmt::format("{{\"{}\": 1}}", kArgumentWord))),
               {probe_tool()});
    const auto shows_call = [](const std::string& text) {
      return has(text, kToolWord) && has(text, kArgumentWord) && has(text, kResultWord);
    };
    found.supports_tool_calls = shows_call(as_object) || shows_call(as_text);
    // An object that is merely printed shows Python's quotes.
    found.wants_object_arguments =
        shows_call(as_object) && !has(as_object, fmt::format("{{'{}'", kArgumentWord));
  }

  const ChatTemplate& chat_template_;
  RenderLimits limits_;
};

}  // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::string name) {
  return ChatTemplate(jinja::Template::parse(source, std::move(name)));
}

std::string ChatTemplate::render(const Inputs& inputs, const RenderLimits& limits,
                                 const Clock& clock) const {
  boost::json::object variables;
  variables["bos_token"] = inputs.bos_token;
  variables["eos_token"] = inputs.eos_token;
  for (const auto& [name, value] : inputs.extra) {
    variables.insert_or_assign(name, value);
  }
  variables["messages"] = inputs.messages;
  variables["add_generation_prompt"] = inputs.add_generation_prompt;
  variables.erase("tools");
  if (!inputs.tools.empty()) {
    variables["tools"] = inputs.tools;
  }
  return template_.render(variables, limits, clock);
}

TemplateCapabilities ChatTemplate::probe() const { return Probe(*this).run(); }

}  // namespace vernal
