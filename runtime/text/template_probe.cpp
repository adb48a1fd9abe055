#include "text/template_probe.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>
#include <vector>

namespace vernal {
namespace {

namespace json = boost::json;

// Words that no template contains by itself. Each stands in one place of a conversation, so that
// finding it says that this place was printed.
constexpr std::string_view kSystemWord = "Zyxsystem";
constexpr std::string_view kUserWord = "Zyxuser";
constexpr std::string_view kToolWord = "zyx_tool";
constexpr std::string_view kArgumentWord = "zyx_argument";
constexpr std::string_view kValueWord = "Zyxvalue";
constexpr std::string_view kOtherValueWord = "Zyxother";
constexpr std::string_view kResultWord = "Zyxresult";
constexpr std::string_view kTextWord = "Zyxtext";
constexpr std::string_view kReasoningWord = "Zyxreason";
// As a client or a model may write it: no printer puts two spaces there.
constexpr std::string_view kArgumentsText = R"({"zyx_argument":  "Zyxvalue"})";
constexpr std::string_view kPythonArguments = "{'zyx_argument': 'Zyxvalue'}";
constexpr std::string_view kShortId = "call00001";
constexpr std::string_view kOtherShortId = "call00002";
constexpr std::string_view kLongId = "call_zyx0000000000000001";
constexpr std::array<std::string_view, 3> kReasoningMembers = {"reasoning_content", "reasoning",
                                                               "thinking"};
constexpr std::uint64_t kProbeSteps = 100'000;

json::string json_text(std::string_view text) { return json::string(text.data(), text.size()); }

json::object message(std::string_view role, json::value content) {
  return {{"role", json_text(role)}, {"content", std::move(content)}};
}

json::value text_parts(std::string_view text) {
  return json::array{json::object{{"type", "text"}, {"text", json_text(text)}}};
}

json::object probe_tool() {
  json::object properties;
  properties[kArgumentWord] = json::object{{"type", "string"}, {"description", "Probe."}};
  return {{"type", "function"},
          {"function",
           {{"name", json_text(kToolWord)},
            {"description", "Probe."},
            {"parameters",
             {{"type", "object"},
              {"properties", std::move(properties)},
              {"required", json::array{json_text(kArgumentWord)}}}}}}};
}

json::object arguments_object(std::string_view value) {
  json::object arguments;
  arguments[kArgumentWord] = json_text(value);
  return arguments;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t result = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++result;
  }
  return result;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool shows_call(std::string_view prompt) {
  return has(prompt, kValueWord) && has(prompt, kResultWord);
}

/// Whether the prompts differ only in how one and the same JSON object is laid out.
bool print_the_same_json(std::string_view from_text, std::string_view from_object) {
  const std::size_t begin = from_text.find(kArgumentsText);
  if (begin == std::string_view::npos) return false;
  const std::string_view before = from_text.substr(0, begin);
  const std::string_view after = from_text.substr(begin + kArgumentsText.size());
  if (from_object.size() < before.size() + after.size() || !from_object.starts_with(before) ||
      !from_object.ends_with(after)) {
    return false;
  }
  const std::string_view printed =
      from_object.substr(before.size(), from_object.size() - before.size() - after.size());
  json::error_code error;
  const json::value parsed = json::parse({printed.data(), printed.size()}, error);
  return !error && parsed == json::value(arguments_object(kValueWord));
}

/// One call of a probe conversation, in a message of its own or with others.
struct ProbeCall {
  std::string_view id = kShortId;
  std::string_view value = kValueWord;
  bool as_text = false;
};

json::object call_object(const ProbeCall& call) {
  json::value arguments = call.as_text ? json::value(json_text(kArgumentsText))
                                       : json::value(arguments_object(call.value));
  return {{"id", json_text(call.id)},
          {"type", "function"},
          {"function", {{"name", json_text(kToolWord)}, {"arguments", std::move(arguments)}}}};
}

json::object calling_message(const std::vector<ProbeCall>& calls, json::value content) {
  json::object result = message("assistant", std::move(content));
  json::array list;
  for (const ProbeCall& call : calls) list.push_back(call_object(call));
  result["tool_calls"] = std::move(list);
  return result;
}

json::object result_message(const ProbeCall& call) {
  json::object result = message("tool", json_text(kResultWord));
  result["tool_call_id"] = json_text(call.id);
  result["name"] = json_text(kToolWord);
  return result;
}

/// Renders probe conversations of one template.
class Probe {
 public:
  explicit Probe(const ChatTemplate& chat_template) : chat_template_(chat_template) {
    limits_.max_steps = kProbeSteps;
  }

  TemplateCapabilities run() {
    probe_content();
    probe_system_and_tools();
    probe_empty_content();
    if (found_.supports_tool_calls) {
      probe_call_ids();
      probe_text_beside_calls();
      probe_two_calls();
    }
    probe_reasoning();
    found_.has_thinking_switch = chat_template_.mentions("enable_thinking");
    return found_;
  }

 private:
  /// The prompt, or nothing if the template fails.
  std::string render(json::array messages, json::array tools = {}) const {
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

  json::object user() const {
    return message("user", found_.requires_content_parts ? text_parts(kUserWord)
                                                         : json::value(json_text(kUserWord)));
  }

  /// A user's message, then these, with the tool offered.
  std::string after_user(std::vector<json::object> messages) const {
    json::array all{user()};
    for (json::object& next : messages) all.push_back(std::move(next));
    return render(std::move(all), {probe_tool()});
  }

  std::string one_call(const ProbeCall& call, json::value content) const {
    return after_user({calling_message({call}, std::move(content)), result_message(call)});
  }

  void probe_content() {
    const std::string plain = render({message("user", json_text(kUserWord))});
    const std::string parts = render({message("user", text_parts(kUserWord))});
    // A list that is merely printed shows its keys.
    found_.accepts_content_parts =
        has(parts, kUserWord) && !has(parts, "'type'") && !has(parts, "\"type\"");
    found_.requires_content_parts = found_.accepts_content_parts && !has(plain, kUserWord);
  }

  void probe_system_and_tools() {
    const json::object system = message("system", json_text(kSystemWord));
    const json::object system_parts = message("system", text_parts(kSystemWord));
    found_.supports_system_role = has(render({system, user()}), kSystemWord) ||
                                  has(render({system_parts, user()}), kSystemWord);
    found_.supports_tools = has(render({user()}, {probe_tool()}), kToolWord) ||
                            has(render({system, user()}, {probe_tool()}), kToolWord);
  }

  /// The form of arguments with this content; nothing if the call does not reach the prompt in any.
  struct CallForm {
    bool is_shown = false;
    ArgumentForm arguments = ArgumentForm::kObject;
    std::string prompt;  // in that form
  };

  CallForm probe_arguments(const json::value& content) const {
    const std::string from_object = one_call({}, content);
    const std::string from_text = one_call({.as_text = true}, content);
    if (shows_call(from_object) && print_the_same_json(from_text, from_object)) {
      return {true, ArgumentForm::kEither, from_object};
    }
    // An object that is merely printed shows Python's quotes.
    if (shows_call(from_object) && !has(from_object, kPythonArguments)) {
      return {true, ArgumentForm::kObject, from_object};
    }
    if (shows_call(from_text)) return {true, ArgumentForm::kText, from_text};
    return {shows_call(from_object), ArgumentForm::kObject, from_object};
  }

  void probe_empty_content() {
    const CallForm with_text = probe_arguments("");
    const CallForm with_null = probe_arguments(nullptr);
    const auto prints_more = [&](std::string_view word) {
      return count(with_null.prompt, word) > count(with_text.prompt, word);
    };
    const bool is_null_good = with_null.is_shown && !prints_more("None") && !prints_more("null");
    found_.supports_tool_calls = with_text.is_shown || with_null.is_shown;
    found_.arguments = with_text.is_shown ? with_text.arguments : with_null.arguments;
    if (with_text.is_shown) {
      found_.empty_content = is_null_good ? EmptyContent::kAsSent : EmptyContent::kText;
    } else if (with_null.is_shown) {
      found_.empty_content = EmptyContent::kNull;
    }
  }

  json::value empty_content() const {
    return found_.empty_content == EmptyContent::kNull ? json::value(nullptr) : json::value("");
  }

  /// A call in the forms that were found.
  ProbeCall call(std::string_view id, std::string_view value = kValueWord) const {
    return {id, value, found_.arguments == ArgumentForm::kText && value == kValueWord};
  }

  void probe_call_ids() {
    found_.needs_short_call_ids = !shows_call(one_call(call(kLongId), empty_content()));
  }

  void probe_text_beside_calls() {
    const std::string together = one_call(call(kShortId), json_text(kTextWord));
    if (shows_call(together)) {
      found_.text_beside_calls =
          has(together, kTextWord) ? TextBesideCalls::kShown : TextBesideCalls::kDropped;
      return;
    }
    const std::string apart = after_user({message("assistant", json_text(kTextWord)),
                                          calling_message({call(kShortId)}, empty_content()),
                                          result_message(call(kShortId))});
    found_.text_beside_calls = shows_call(apart) && has(apart, kTextWord)
                                   ? TextBesideCalls::kSeparate
                                   : TextBesideCalls::kDropsCall;
  }

  void probe_two_calls() {
    const auto shows_both = [](const std::string& prompt) {
      return has(prompt, kValueWord) && has(prompt, kOtherValueWord) &&
             count(prompt, kResultWord) >= 2;
    };
    const ProbeCall first{kShortId, kValueWord, false};
    const ProbeCall second{kOtherShortId, kOtherValueWord, false};
    found_.takes_one_call_a_message =
        !shows_both(after_user({calling_message({first, second}, empty_content()),
                                result_message(first), result_message(second)})) &&
        shows_both(
            after_user({calling_message({first}, empty_content()), result_message(first),
                        calling_message({second}, empty_content()), result_message(second)}));
  }

  /// Thinking is often kept only in the turn that is going on, and there beside calls.
  std::string with_reasoning(std::string_view member, json::value content) const {
    json::object thinking = calling_message({call(kShortId)}, std::move(content));
    thinking[member] = json_text(kReasoningWord);
    return after_user({std::move(thinking), result_message(call(kShortId))});
  }

  std::string with_reasoning_and_answer(std::string_view member) const {
    json::object thinking = message("assistant", json_text(kTextWord));
    thinking[member] = json_text(kReasoningWord);
    return after_user({std::move(thinking)});
  }

  void probe_reasoning() {
    for (const std::string_view member : kReasoningMembers) {
      if (has(with_reasoning(member, empty_content()), kReasoningWord) ||
          has(with_reasoning_and_answer(member), kReasoningWord)) {
        found_.reasoning_member = member;
        break;
      }
    }
    const std::string_view member = found_.reasoning_member;
    found_.refuses_reasoning_beside_text =
        found_.text_beside_calls != TextBesideCalls::kSeparate &&
        shows_call(with_reasoning(member, empty_content())) &&
        !shows_call(with_reasoning(member, json_text(kTextWord)));
  }

  const ChatTemplate& chat_template_;
  RenderLimits limits_;
  TemplateCapabilities found_;
};

}  // namespace

TemplateCapabilities probe_template(const ChatTemplate& chat_template) {
  return Probe(chat_template).run();
}

}  // namespace vernal
