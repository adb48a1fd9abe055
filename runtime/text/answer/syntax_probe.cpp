#include "text/answer/syntax_probe.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "text/answer/answer_parser.hpp"
#include "text/answer/example_reader.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// As the words of AnswerSyntax::example.
constexpr std::string_view kUser = "Zyxuser";
constexpr std::string_view kText = "Zyxtext";
constexpr std::string_view kReasoning = "Zyxreason";
constexpr std::string_view kResult = "Zyxresult";
constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::string_view kAssumedFamily = "hermes";
constexpr std::string_view kBareFamily = "bare_json";
constexpr std::uint64_t kProbeSteps = 200'000;
constexpr std::size_t kMostMarkBytes = 64;

json::string as_json(std::string_view text) { return json::string(text.data(), text.size()); }

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
}

/// The tag that ends a text, "<think>" or "[THINK]"; empty if none does.
std::string_view last_tag(std::string_view text) {
  text = stripped(text);
  if (text.empty() || (text.back() != '>' && text.back() != ']')) return {};
  const std::size_t begin = text.rfind(text.back() == '>' ? '<' : '[');
  const bool is_tag = begin != std::string_view::npos && text.size() - begin <= kMostMarkBytes;
  return is_tag ? text.substr(begin) : std::string_view();
}

/// The tag that begins a text.
std::string_view first_tag(std::string_view text) {
  text = stripped(text);
  if (text.empty() || (text.front() != '<' && text.front() != '[')) return {};
  const std::size_t end = text.find(text.front() == '<' ? '>' : ']');
  const bool is_tag = end != std::string_view::npos && end < kMostMarkBytes;
  return is_tag ? text.substr(0, end + 1) : std::string_view();
}

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

/// Renders the conversations of one template.
class Conversations {
 public:
  Conversations(const ChatTemplate& chat_template, const TemplateCapabilities& capabilities)
      : template_(chat_template), capabilities_(capabilities) {
    limits_.max_steps = kProbeSteps;
  }

  /// Before the assistant speaks; with the text that makes it speak.
  std::string prompt(bool generates) const { return render({user()}, generates); }

  std::string with_call() const {
    json::object message = assistant(empty_content());
    message["tool_calls"] = json::array{call()};
    return render({user(), std::move(message), result()}, false);
  }

  /// An answer, with reasoning before it or without.
  std::string with_answer(bool has_reasoning) const {
    json::object message = assistant(json::value(as_json(kText)));
    if (has_reasoning) message[capabilities_.reasoning_member] = as_json(kReasoning);
    return render({user(), std::move(message)}, false);
  }

  /// A call with reasoning before it: some templates keep reasoning only there.
  std::string with_reasoned_call() const {
    json::object message = assistant(empty_content());
    message["tool_calls"] = json::array{call()};
    message[capabilities_.reasoning_member] = as_json(kReasoning);
    return render({user(), std::move(message), result()}, false);
  }

 private:
  json::object user() const {
    json::object message{{"role", "user"}};
    if (capabilities_.requires_content_parts) {
      message["content"] = json::array{json::object{{"type", "text"}, {"text", as_json(kUser)}}};
    } else {
      message["content"] = as_json(kUser);
    }
    return message;
  }

  static json::object assistant(json::value content) {
    return {{"role", "assistant"}, {"content", std::move(content)}};
  }

  json::value empty_content() const {
    return capabilities_.empty_content == EmptyContent::kNull ? json::value() : json::value("");
  }

  json::object call() const {
    json::object arguments;
    arguments[kExampleKey] = as_json(kExampleValue);
    json::value sent = arguments;
    if (capabilities_.arguments == ArgumentForm::kText) sent = json::string(json::serialize(sent));
    return {{"id", as_json(kExampleId)},
            {"type", "function"},
            {"function", {{"name", as_json(kExampleTool)}, {"arguments", std::move(sent)}}}};
  }

  static json::object result() {
    return {{"role", "tool"},
            {"content", as_json(kResult)},
            {"tool_call_id", as_json(kExampleId)},
            {"name", as_json(kExampleTool)}};
  }

  std::string render(json::array messages, bool generates) const {
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

  const ChatTemplate& template_;
  const TemplateCapabilities& capabilities_;
  RenderLimits limits_;
};

/// What a syntax makes of the probe's call.
struct Reading {
  bool is_right = false;        ///< one call, with the name and the argument
  std::size_t num_content = 0;  ///< bytes that it takes for content
};

Reading read_with(const AnswerSyntax& syntax, std::string_view text) {
  AnswerParser parser(syntax, probe_tools(), {});
  std::vector<AnswerDelta> deltas = parser.push(text);
  for (AnswerDelta& delta : parser.finish(AnswerEnd::kStop)) deltas.push_back(std::move(delta));
  Reading reading;
  std::string name;
  std::string arguments;
  for (const AnswerDelta& delta : deltas) {
    if (delta.part == AnswerPart::kContent) reading.num_content += stripped(delta.text).size();
    if (delta.part == AnswerPart::kCallBegin) name += delta.text;
    if (delta.part == AnswerPart::kCallArguments) arguments += delta.text;
  }
  json::error_code error;
  const json::value value = json::parse(arguments, error);
  json::object expected;
  expected[kExampleKey] = as_json(kExampleValue);
  // Where the id holds the name, a history's id is printed for it.
  const bool is_named = name == kExampleTool || name == kExampleId;
  reading.is_right = parser.num_calls() == 1 && is_named && !error && value == expected;
  return reading;
}

/// The longest of a syntax's own marks that stand in a text; 0: none does.
std::size_t longest_mark_in(std::string_view text, const AnswerSyntax& syntax) {
  std::size_t longest = 0;
  if (syntax.has_channels && has(text, "<|channel|>")) longest = 11;
  if (syntax.has_recipients && has(text, ">>>")) longest = 3;
  for (const CallOpening& opening : syntax.openings) {
    const bool is_own = opening.is_marked || opening.mark == "<function=";
    if (is_own && has(text, opening.mark)) longest = std::max(longest, opening.mark.size());
  }
  return longest;
}

/// How many of a family's marks the template uses.
std::size_t num_marks_in(std::string_view source, const AnswerSyntax& syntax) {
  std::size_t num_found = 0;
  for (const CallOpening& opening : syntax.openings) {
    num_found += opening.is_marked && has(source, opening.mark) ? 1U : 0U;
  }
  for (const auto* pairs : {&syntax.thinking, &syntax.wrappers}) {
    for (const MarkPair& pair : *pairs) num_found += has(source, pair.close) ? 1U : 0U;
  }
  return num_found;
}

/// The family that reads the printed call best: with the least left over, then by its longest mark.
const AnswerSyntax* best_reader(std::string_view printed, std::string_view source) {
  const AnswerSyntax* best = nullptr;
  std::tuple<std::size_t, std::size_t, std::size_t> best_rank;
  for (const std::string& family : answer_families()) {
    const AnswerSyntax& syntax = *find_answer_syntax(family);
    const std::size_t mark = longest_mark_in(printed, syntax);
    if (mark == 0) continue;
    const Reading reading = read_with(syntax, printed);
    if (!reading.is_right) continue;
    const std::tuple rank{printed.size() - reading.num_content, mark, num_marks_in(source, syntax)};
    if (best == nullptr || rank > best_rank) {
      best = &syntax;
      best_rank = rank;
    }
  }
  return best;
}

/// A syntax for JSON objects in marks that no family has: what the template writes around the
/// object.
std::optional<AnswerSyntax> unknown_json(std::string_view printed) {
  const std::size_t name = printed.find(kExampleTool);
  const std::size_t brace = name == std::string_view::npos ? name : printed.rfind('{', name);
  if (brace == std::string_view::npos) return std::nullopt;
  std::size_t begin = brace;
  if (begin > 0 && printed[begin - 1] == '[') --begin;
  const std::string_view open = last_tag(printed.substr(0, begin));
  if (open.empty()) return std::nullopt;
  const std::size_t value = printed.find(kExampleValue, brace);
  if (value == std::string_view::npos) return std::nullopt;
  std::string_view rest = printed.substr(value + kExampleValue.size());
  const std::size_t end = rest.find_first_not_of("\"}] \t\r\n");
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  AnswerSyntax syntax = *find_answer_syntax(kBareFamily);
  syntax.family = "unnamed";
  CallOpening opening{.mark = std::string(open)};
  if (const std::string_view close = first_tag(rest); !close.empty()) {
    opening.closes = {std::string(close)};
  }
  syntax.openings.insert(syntax.openings.begin(), std::move(opening));
  if (!read_with(syntax, printed).is_right) return std::nullopt;
  return syntax;
}

/// A syntax for tags that no family has: `<x:invoke name="N"> <x:parameter name="k">v</...>` and the
/// like, as the template writes them.
std::optional<AnswerSyntax> unknown_tags(std::string_view printed) {
  const std::size_t key = printed.find(kExampleKey);
  const std::size_t name = printed.substr(0, key).rfind(kExampleTool);
  const std::size_t value = key == std::string_view::npos ? key : printed.find(kExampleValue, key);
  if (value == std::string_view::npos || name == std::string_view::npos) return std::nullopt;
  const std::string_view between_names =
      printed.substr(name + kExampleTool.size(), key - name - kExampleTool.size());
  const std::string_view before_value =
      printed.substr(key + kExampleKey.size(), value - key - kExampleKey.size());
  const std::size_t function_tag = printed.substr(0, name).rfind('<');
  const std::size_t parameter_tag = printed.substr(0, key).rfind('<');
  const std::size_t name_end = between_names.find('>');
  const std::size_t key_end = before_value.find('>');
  const bool is_tagged = function_tag != std::string_view::npos && parameter_tag > name &&
                         name_end != std::string_view::npos && key_end != std::string_view::npos;
  if (!is_tagged) return std::nullopt;
  TagForm tags;
  tags.function_open = printed.substr(function_tag, name - function_tag);
  tags.name_end = between_names.substr(0, name_end + 1);
  tags.parameter_open = printed.substr(parameter_tag, key - parameter_tag);
  tags.key_end = before_value.substr(0, key_end + 1);
  tags.value_open = stripped(before_value.substr(key_end + 1));
  std::string_view rest = printed.substr(value + kExampleValue.size());
  tags.parameter_close = first_tag(rest);
  rest = stripped(rest);
  rest.remove_prefix(tags.parameter_close.size());
  tags.function_closes = {std::string(first_tag(rest))};
  rest = stripped(rest);
  rest.remove_prefix(tags.function_closes.front().size());
  AnswerSyntax syntax = *find_answer_syntax(kBareFamily);
  syntax.family = "unnamed";
  CallOpening opening{.mark = std::string(last_tag(printed.substr(0, function_tag))),
                      .form = CallForm::kTags,
                      .tags = tags};
  if (opening.mark.empty()) opening.mark = tags.function_open;
  if (const std::string_view close = first_tag(rest); close.starts_with("</")) {
    opening.closes = {std::string(close)};
  }
  syntax.openings.insert(syntax.openings.begin(), std::move(opening));
  if (tags.parameter_close.empty() || !read_with(syntax, printed).is_right) return std::nullopt;
  return syntax;
}

/// A line break at both ends of a printed value is layout; an id behind the arguments comes late.
void learn_layout(std::string_view printed, AnswerSyntax& syntax) {
  const std::size_t value = printed.find(kExampleValue);
  const std::size_t id = printed.find(kExampleId);
  if (value == std::string_view::npos) return;
  const bool breaks_before = value > 0 && printed[value - 1] == '\n';
  const bool breaks_behind = printed.substr(value + kExampleValue.size()).starts_with('\n');
  for (CallOpening& opening : syntax.openings) {
    if (opening.form == CallForm::kTags && has(printed, opening.mark)) {
      opening.tags.has_line_breaks = breaks_before && breaks_behind;
    }
    if (opening.form == CallForm::kHeaded && has(printed, opening.mark)) {
      opening.id_stands_behind = id != std::string_view::npos && id > value;
    }
  }
}

/// A printed call is an example if what is cut out of it reads as the same call.
void learn_example(std::string_view printed, AnswerSyntax& syntax) {
  const std::string_view example = example_in(printed, syntax);
  // Where the id holds the name, a history's id is printed for it.
  if (!has(example, kExampleTool)) return;
  const Reading reading = read_with(syntax, example);
  if (reading.is_right && reading.num_content == 0) syntax.example = example;
}

/// The marks around printed reasoning.
struct ThinkingMarks {
  MarkPair pair;
  std::string end;  ///< all that stands between reasoning and text
};

std::optional<ThinkingMarks> find_thinking(std::string_view printed, std::string_view behind) {
  const std::size_t begin = printed.find(kReasoning);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view before = printed.substr(0, begin);
  std::string_view rest = printed.substr(begin + kReasoning.size());
  const std::size_t next = rest.find(behind);
  if (next == std::string_view::npos) return std::nullopt;
  rest = rest.substr(0, next);
  return ThinkingMarks{{std::string(last_tag(before)), std::string(first_tag(rest)), false},
                       std::string(rest)};
}

/// Whether a family's own marks are the ones that were printed.
bool knows_marks(const AnswerSyntax& syntax, std::string_view printed) {
  const std::size_t begin = printed.find(kReasoning);
  const std::string_view before = stripped(printed.substr(0, begin));
  const std::string_view rest = stripped(printed.substr(begin + kReasoning.size()));
  return std::any_of(syntax.thinking.begin(), syntax.thinking.end(), [&](const MarkPair& pair) {
    return before.ends_with(pair.open) && rest.starts_with(pair.close);
  });
}

void learn_thinking(const Conversations& talk, AnswerSyntax& syntax) {
  if (syntax.has_channels) return;
  std::string printed = talk.with_answer(true);
  std::string_view behind = kText;
  if (!has(printed, kReasoning)) {
    printed = talk.with_reasoned_call();
    behind = kExampleTool;
  }
  const std::optional<ThinkingMarks> marks = find_thinking(printed, behind);
  if (!marks) return;
  if (behind == kText) syntax.thinking_end = marks->end;
  if (knows_marks(syntax, printed)) return;
  const bool is_pair = !marks->pair.open.empty() && !marks->pair.close.empty() &&
                       marks->pair.open != marks->pair.close;
  // A tag that answers without reasoning have too is a message's.
  if (has(talk.with_answer(false), marks->pair.open)) return;
  if (is_pair) syntax.thinking = {marks->pair};
}

/// What a template printed of the call, from where it parts from a prompt.
std::string_view printed_call(std::string_view with_call, std::string_view generating) {
  std::size_t begin = common_prefix(generating, with_call);
  // Two tags may begin alike: go back to where the tag begins.
  const std::size_t tag = with_call.substr(0, begin).find_last_of("<[");
  const bool is_in_tag =
      tag != std::string_view::npos &&
      with_call.substr(tag, begin - tag).find_first_of(">]") == std::string_view::npos;
  if (is_in_tag) begin = tag;
  with_call.remove_prefix(begin);
  return with_call.substr(0, with_call.find(kResult));
}

/// A syntax that reads the printed call again.
std::optional<AnswerSyntax> learned_syntax(std::string_view printed, std::string_view source) {
  if (!has(printed, kExampleValue)) return std::nullopt;
  if (const AnswerSyntax* const family = best_reader(printed, source)) {
    AnswerSyntax syntax = *family;
    name_by_form(printed, syntax);
    return syntax;
  }
  if (std::optional<AnswerSyntax> syntax = unknown_tags(printed)) return syntax;
  if (std::optional<AnswerSyntax> syntax = unknown_json(printed)) return syntax;
  // Without a mark: the family one of whose marks is in the source, or none.
  for (const std::string& family : answer_families()) {
    const AnswerSyntax& syntax = *find_answer_syntax(family);
    const bool is_known = family == kBareFamily || longest_mark_in(source, syntax) > 0;
    if (is_known && read_with(syntax, printed).is_right) return syntax;
  }
  return std::nullopt;
}

/// The family whose longest mark is mentioned.
const AnswerSyntax* mentioned_family(
    const std::function<std::size_t(const AnswerSyntax&)>& mark_of) {
  constexpr std::size_t kLeastMark = 7;  // shorter ones are words of any text
  const AnswerSyntax* found = nullptr;
  std::size_t longest = kLeastMark - 1;
  for (const std::string& family : answer_families()) {
    const AnswerSyntax& syntax = *find_answer_syntax(family);
    const std::size_t mark = mark_of(syntax);
    if (mark <= longest) continue;
    longest = mark;
    found = &syntax;
  }
  return found;
}

std::size_t longest_token_of(const AnswerSyntax& syntax, const IsToken& is_token) {
  std::size_t longest = 0;
  for (const CallOpening& opening : syntax.openings) {
    if (opening.is_marked && is_token(opening.mark))
      longest = std::max(longest, opening.mark.size());
  }
  return longest;
}

}  // namespace

ProbedSyntax probe_answer_syntax(const ChatTemplate& chat_template,
                                 const TemplateCapabilities& capabilities,
                                 const IsToken& is_token) {
  const Conversations talk(chat_template, capabilities);
  const std::string_view source = chat_template.source();
  const std::string generating = talk.prompt(true);
  const std::string with_call = talk.with_call();
  const std::string_view printed = printed_call(with_call, generating);
  ProbedSyntax found;
  if (std::optional<AnswerSyntax> syntax = learned_syntax(printed, source)) {
    found = {*std::move(syntax), SyntaxOrigin::kLearned};
    learn_layout(printed, found.syntax);
    learn_example(printed, found.syntax);
  } else {
    const AnswerSyntax* family = mentioned_family(
        [&](const AnswerSyntax& syntax) { return longest_mark_in(generating, syntax); });
    if (family == nullptr) {
      family = mentioned_family(
          [&](const AnswerSyntax& syntax) { return longest_mark_in(source, syntax); });
    }
    if (family == nullptr) {
      family = mentioned_family(
          [&](const AnswerSyntax& syntax) { return longest_token_of(syntax, is_token); });
    }
    const bool is_found = family != nullptr;
    found = {is_found ? *family : *find_answer_syntax(kAssumedFamily),
             is_found ? SyntaxOrigin::kFound : SyntaxOrigin::kAssumed};
  }
  learn_thinking(talk, found.syntax);
  return found;
}

bool ends_in_thinking(std::string_view prompt_end, const AnswerSyntax& syntax) {
  prompt_end = stripped(prompt_end);
  return std::any_of(syntax.thinking.begin(), syntax.thinking.end(), [&](const MarkPair& pair) {
    const bool is_open = !pair.open.empty() && prompt_end.ends_with(pair.open);
    return is_open || (!pair.prompt.empty() && prompt_end.ends_with(pair.prompt));
  });
}

}  // namespace vernal
