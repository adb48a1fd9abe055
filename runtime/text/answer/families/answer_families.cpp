// The syntaxes of the known families of models: one description each.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/families/call_examples.hpp"

namespace vernal {
namespace {

using Texts = std::vector<std::string>;

const MarkPair kThink{"<think>", "</think>", false};

CallOpening json_calls(std::string mark, Texts closes) {
  return {.mark = std::move(mark), .closes = std::move(closes)};
}

/// <function=N> <parameter=k>v</parameter> </function>
TagForm equals_tags(bool has_line_breaks) {
  return {.function_open = "<function=",
          .name_end = ">",
          .function_closes = {"</function>"},
          .parameter_open = "<parameter=",
          .key_end = ">",
          .parameter_close = "</parameter>",
          .has_line_breaks = has_line_breaks};
}

/// N <arg_key>k</arg_key> <arg_value>v</arg_value>
TagForm key_value_tags(const std::string& suffix) {
  return {.parameter_open = fmt::format("<arg_key{}>", suffix),
          .key_end = fmt::format("</arg_key{}>", suffix),
          .value_open = fmt::format("<arg_value{}>", suffix),
          .parameter_close = fmt::format("</arg_value{}>", suffix)};
}

/// <invoke name="N"> <parameter name="k">v</parameter> </invoke>, with `prefix` in each tag's name
TagForm named_tags(const std::string& prefix, std::string_view function,
                   std::string_view parameter) {
  return {.function_open = fmt::format("<{}{} name=\"", prefix, function),
          .name_end = "\">",
          .function_closes = {fmt::format("</{}{}>", prefix, function)},
          .parameter_open = fmt::format("<{}{} name=\"", prefix, parameter),
          .key_end = "\">",
          .parameter_close = fmt::format("</{}{}>", prefix, parameter)};
}

/// <tool_call>, in which the first byte decides.
CallOpening tool_call_opening() {
  return {.mark = "<tool_call>",
          .form = CallForm::kFirstByte,
          .closes = {"</tool_call>"},
          .tags = equals_tags(true),
          .name_tags = key_value_tags("")};
}

/// <function=N> without the mark that belongs before it.
CallOpening bare_function_opening() {
  return {.mark = "<function=",
          .form = CallForm::kTags,
          .is_marked = false,
          .closes = {"</tool_call>"},
          .tags = equals_tags(true)};
}

/// An object that begins a line, alone, in a list or in a fence.
void add_bare_json(std::vector<CallOpening>& openings) {
  for (const std::string_view mark : {"```json", "```tool_call", "```", "{"}) {
    openings.push_back({.mark = std::string(mark),
                        .is_marked = false,
                        .begins_line = true,
                        .is_kept = true,
                        .may_be_fenced = true});
  }
  openings.push_back({.mark = "[",
                      .form = CallForm::kFunctions,
                      .is_marked = false,
                      .begins_line = true,
                      .is_kept = true});
}

AnswerSyntax hermes() {
  AnswerSyntax syntax{.family = "hermes",
                      .thinking = {kThink},
                      .openings = {tool_call_opening(), bare_function_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax renamed(AnswerSyntax syntax, std::string family) {
  syntax.family = std::move(family);
  return syntax;
}

AnswerSyntax bare_json() {
  AnswerSyntax syntax{.family = "bare_json", .openings = {tool_call_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

CallOpening python_tag() { return {.mark = "<|python_tag|>", .form = CallForm::kCode}; }

AnswerSyntax llama3() {
  AnswerSyntax syntax{.family = "llama3", .openings = {python_tag()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax pythonic() {
  AnswerSyntax syntax{.family = "pythonic",
                      .openings = {{.mark = "<|python_start|>",
                                    .form = CallForm::kFunctions,
                                    .closes = {"<|python_end|>"}}}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax mistral(std::string family, bool id_stands_behind) {
  return {.family = std::move(family),
          .thinking = {{"[THINK]", "[/THINK]", false}},
          .openings = {{.mark = "[TOOL_CALLS]",
                        .form = CallForm::kHeaded,
                        .id_stands_behind = id_stands_behind,
                        .head = {.name_ends = {"[CALL_ID]", "[ARGS]"},
                                 .id_mark = "[CALL_ID]",
                                 .arguments_mark = "[ARGS]",
                                 .brace_ends_name = true}}}};
}

/// A mark of DeepSeek with its words parted by U+2581, as published, or as distilled models write.
Texts block_marks(std::string_view words) {
  Texts marks;
  for (const std::string_view part : {"\u2581", "_", " "}) {
    std::string mark;
    for (const char byte : words) mark += byte == ' ' ? std::string(part) : std::string(1, byte);
    marks.push_back("<\uFF5C" + mark + "\uFF5C>");
  }
  return marks;
}

AnswerSyntax deepseek(std::string family) {
  AnswerSyntax syntax{.family = std::move(family), .thinking = {kThink}};
  CallOpening opening{.form = CallForm::kHeaded,
                      .call_opens = block_marks("tool call begin"),
                      .closes = block_marks("tool calls end"),
                      .head = {.name_ends = block_marks("tool sep"),
                               .type_stands_first = true,
                               .call_closes = block_marks("tool call end")}};
  for (const std::string_view words : {"tool calls begin", "tool call begin"}) {
    for (const std::string& mark : block_marks(words)) {
      opening.mark = mark;
      syntax.openings.push_back(opening);
    }
  }
  return syntax;
}

AnswerSyntax dsml() {
  AnswerSyntax syntax{.family = "dsml", .thinking = {kThink}};
  TagForm tags = named_tags("\uFF5CDSML\uFF5C", "invoke", "parameter");
  tags.key_end = "\"";
  tags.value_open = ">";
  for (const std::string_view section : {"function_calls", "tool_calls"}) {
    syntax.openings.push_back({.mark = fmt::format("<\uFF5CDSML\uFF5C{}>", section),
                               .form = CallForm::kTags,
                               .closes = {fmt::format("</\uFF5CDSML\uFF5C{}>", section)},
                               .tags = tags});
  }
  return syntax;
}

AnswerSyntax glm() {
  AnswerSyntax syntax{.family = "glm", .thinking = {kThink}, .openings = {tool_call_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax kimi_k2() {
  AnswerSyntax syntax{.family = "kimi_k2", .thinking = {kThink}};
  for (const std::string_view mark : {"<|tool_calls_section_begin|>", "<|tool_call_begin|>"}) {
    syntax.openings.push_back({.mark = std::string(mark),
                               .form = CallForm::kHeaded,
                               .call_opens = {"<|tool_call_begin|>"},
                               .closes = {"<|tool_calls_section_end|>"},
                               .head = {.name_ends = {"<|tool_call_argument_begin|>"},
                                        .name_is_id = true,
                                        .call_closes = {"<|tool_call_end|>"}}});
  }
  return syntax;
}

AnswerSyntax gemma(std::string family, const Texts& marks, std::string string_mark) {
  return {.family = std::move(family),
          .thinking = {{"<|channel>thought", "<channel|>", true}},
          .openings = {{.mark = marks[0],
                        .form = CallForm::kMarked,
                        .closes = {marks[1]},
                        .values = ValueStyle::kMarked,
                        .string_mark = std::move(string_mark)}}};
}

AnswerSyntax granite3() {
  AnswerSyntax syntax{.family = "granite3",
                      .thinking = {kThink},
                      .wrappers = {{"<response>", "</response>", false}},
                      .openings = {json_calls("<|tool_call|>", {}), tool_call_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax command_r7b() {
  return {.family = "command_r7b",
          .thinking = {{"<|START_THINKING|>", "<|END_THINKING|>", true}},
          .wrappers = {{"<|START_RESPONSE|>", "<|END_RESPONSE|>", true},
                       {"<|START_TEXT|>", "<|END_TEXT|>", true}},
          .openings = {json_calls("<|START_ACTION|>", {"<|END_ACTION|>"})}};
}

AnswerSyntax command_r_plus() {
  CallOpening action = json_calls("Action:", {});
  action.begins_line = true;
  action.may_be_fenced = true;
  return {.family = "command_r_plus", .openings = {std::move(action)}};
}

/// A family whose calls are JSON between two marks that are plain text.
AnswerSyntax json_between(std::string family, std::string open, std::string close) {
  AnswerSyntax syntax{.family = std::move(family),
                      .thinking = {kThink},
                      .openings = {json_calls(std::move(open), {std::move(close)})}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax apriel() {
  AnswerSyntax syntax = json_between("apriel", "<tool_calls>", "</tool_calls>");
  syntax.thinking = {{"", "[BEGIN FINAL RESPONSE]", false, "Here are my reasoning steps:"}};
  syntax.wrappers = {{"", "[END FINAL RESPONSE]", false}};
  return syntax;
}

AnswerSyntax hunyuan_a13b() {
  AnswerSyntax syntax = json_between("hunyuan_a13b", "<tool_calls>", "</tool_calls>");
  syntax.wrappers = {{"<answer>", "</answer>", false}};
  return syntax;
}

AnswerSyntax hunyuan_hy3() {
  const std::string suffix = ":opensource";
  TagForm tags = key_value_tags(suffix);
  tags.function_open = fmt::format("<tool_call{}>", suffix);
  tags.name_end = fmt::format("<tool_sep{}>", suffix);
  tags.function_closes = {fmt::format("</tool_call{}>", suffix)};
  return {
      .family = "hunyuan_hy3",
      .thinking = {{fmt::format("<think{}>", suffix), fmt::format("</think{}>", suffix), false}},
      .openings = {{.mark = fmt::format("<tool_calls{}>", suffix),
                    .form = CallForm::kTags,
                    .closes = {fmt::format("</tool_calls{}>", suffix)},
                    .tags = std::move(tags)}}};
}

AnswerSyntax minimax_m2() {
  return {.family = "minimax_m2",
          .thinking = {kThink},
          .openings = {{.mark = "<minimax:tool_call>",
                        .form = CallForm::kTags,
                        .closes = {"</minimax:tool_call>"},
                        .tags = named_tags("", "invoke", "parameter")}}};
}

AnswerSyntax minimax_m3() {
  const std::string prefix = "]<]minimax[>[";
  return {.family = "minimax_m3",
          .thinking = {{"<mm:think>", "</mm:think>", false}},
          .openings = {{.mark = prefix + "<tool_call>",
                        .form = CallForm::kTags,
                        .closes = {prefix + "</tool_call>"},
                        .tags = {.function_open = prefix + "<invoke name=\"",
                                 .name_end = "\">",
                                 .function_closes = {prefix + "</invoke>"},
                                 .parameter_open = prefix + "<",
                                 .key_end = ">",
                                 .parameter_close = prefix + "</{}>",
                                 .has_elements = true,
                                 .element_prefix = prefix}}}};
}

AnswerSyntax functools(std::string family) {
  AnswerSyntax syntax{
      .family = std::move(family),
      .thinking = {kThink},
      .openings = {json_calls("<|tool_call|>", {"<|/tool_call|>"}), json_calls("functools", {})}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax lfm2() {
  AnswerSyntax syntax{.family = "lfm2",
                      .thinking = {kThink},
                      .openings = {{.mark = "<|tool_call_start|>",
                                    .form = CallForm::kFunctions,
                                    .closes = {"<|tool_call_end|>"}}}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax functionary_v31() {
  return {.family = "functionary_v31", .openings = {bare_function_opening(), python_tag()}};
}

AnswerSyntax seed_oss() {
  return {.family = "seed_oss",
          .thinking = {{"<seed:think>", "</seed:think>", false}},
          .openings = {{.mark = "<seed:tool_call>",
                        .form = CallForm::kTags,
                        .closes = {"</seed:tool_call>"},
                        .tags = equals_tags(false)}}};
}

AnswerSyntax step3() {
  TagForm tags = named_tags("steptml:", "invoke", "parameter");
  tags.function_open =
      "<\uFF5Ctool_call_begin\uFF5C>function<\uFF5Ctool_sep\uFF5C>" + tags.function_open;
  tags.function_closes.push_back(tags.function_closes.front() + "<\uFF5Ctool_call_end\uFF5C>");
  return {.family = "step3",
          .thinking = {kThink},
          .openings = {{.mark = "<\uFF5Ctool_calls_begin\uFF5C>",
                        .form = CallForm::kTags,
                        .closes = {"<\uFF5Ctool_calls_end\uFF5C>"},
                        .tags = std::move(tags)}},
          .orphans = {"<\uFF5Ctool_call_end\uFF5C>"}};
}

AnswerSyntax minicpm5() {
  TagForm tags = named_tags("", "function", "param");
  tags.has_character_data = true;
  return {.family = "minicpm5",
          .thinking = {kThink},
          .openings = {{.mark = tags.function_open, .form = CallForm::kTags, .tags = tags}}};
}

AnswerSyntax kimi_k3() {
  return {.family = "kimi_k3",
          .thinking = {{"<|open|>think<|sep|>", "<|close|>think<|sep|>", true}},
          .wrappers = {{"<|open|>response<|sep|>", "<|close|>response<|sep|>", true},
                       {"<|open|>message<|sep|>", "<|close|>message<|sep|>", true}},
          .openings = {{.mark = "<|open|>tools<|sep|>",
                        .form = CallForm::kTags,
                        .closes = {"<|close|>tools<|sep|>"},
                        .tags = {.function_open = "<|open|>call tool=\"",
                                 .name_end = "\"",
                                 .function_end = "<|sep|>",
                                 .function_closes = {"<|close|>call<|sep|>"},
                                 .parameter_open = "<|open|>argument key=\"",
                                 .key_end = "\"",
                                 .value_open = "<|sep|>",
                                 .parameter_close = "<|close|>argument<|sep|>"}}}};
}

AnswerSyntax apertus() {
  CallOpening opening = json_calls("<|tools_prefix|>", {"<|tools_suffix|>"});
  opening.key_is_name = true;
  return {.family = "apertus",
          .thinking = {{"<|inner_prefix|>", "<|inner_suffix|>", true}},
          .openings = {std::move(opening)}};
}

AnswerSyntax gigachat() {
  return {.family = "gigachat",
          .openings = {json_calls("<|message_sep|>\n\nfunction call<|role_sep|>", {}),
                       json_calls("function call<|role_sep|>", {}),
                       json_calls("<|function_call|>", {})}};
}

/// Those that come first are preferred where several read the same.
std::vector<AnswerSyntax> make_families() {
  return {hermes(),
          renamed(hermes(), "qwen3_xml"),
          llama3(),
          pythonic(),
          mistral("mistral_v3", true),
          mistral("mistral_v11", false),
          deepseek("deepseek_v3"),
          deepseek("deepseek_v31"),
          dsml(),
          glm(),
          kimi_k2(),
          {.family = "harmony",
           .orphans = {"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>",
                       "<|call|>", "<|return|>"},
           .has_channels = true},
          gemma("gemma4", {"<|tool_call>", "<tool_call|>"}, "<|\"|>"),
          gemma("functiongemma", {"<start_function_call>", "<end_function_call>"}, "<escape>"),
          granite3(),
          command_r7b(),
          command_r_plus(),
          json_between("nemotron_v2", "<TOOLCALL>", "</TOOLCALL>"),
          json_between("minimax_m1", "<tool_calls>", "</tool_calls>"),
          minimax_m2(),
          minimax_m3(),
          functools("phi4"),
          functools("firefunction"),
          lfm2(),
          functionary_v31(),
          {.family = "functionary_v32", .has_recipients = true},
          seed_oss(),
          apriel(),
          hunyuan_a13b(),
          hunyuan_hy3(),
          step3(),
          bare_json(),
          minicpm5(),
          kimi_k3(),
          apertus(),
          gigachat()};
}

const std::vector<AnswerSyntax>& families() {
  static const std::vector<AnswerSyntax> kAll = [] {
    std::vector<AnswerSyntax> all = make_families();
    for (AnswerSyntax& syntax : all) syntax.example = call_example(syntax.family);
    return all;
  }();
  return kAll;
}

}  // namespace

const AnswerSyntax* find_answer_syntax(std::string_view family) {
  const std::vector<AnswerSyntax>& all = families();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const AnswerSyntax& syntax) { return syntax.family == family; });
  return found == all.end() ? nullptr : &*found;
}

std::string text_behind_thinking(const AnswerSyntax& syntax) {
  if (!syntax.thinking_end.empty()) return syntax.thinking_end;
  if (syntax.has_channels) return "<|end|><|start|>assistant<|channel|>final<|message|>";
  return syntax.thinking.empty() ? "" : "\n" + syntax.thinking.front().close + "\n\n";
}

bool is_part_of_mark(std::string_view text, const AnswerSyntax& syntax) {
  if (text.empty()) return false;
  const auto holds = [&](const std::string& mark) { return mark.find(text) != std::string::npos; };
  const auto any_holds = [&](const std::vector<std::string>& marks) {
    return std::any_of(marks.begin(), marks.end(), holds);
  };
  const auto is_pair = [&](const MarkPair& pair) { return holds(pair.open) || holds(pair.close); };
  const auto is_opening = [&](const CallOpening& opening) {
    const TagForm& tags = opening.tags;
    const HeadForm& head = opening.head;
    return holds(opening.mark) || any_holds(opening.call_opens) || any_holds(opening.closes) ||
           holds(opening.string_mark) || holds(tags.function_open) || holds(tags.name_end) ||
           holds(tags.function_end) || any_holds(tags.function_closes) ||
           holds(tags.parameter_open) || holds(tags.key_end) || holds(tags.value_open) ||
           holds(tags.parameter_close) || any_holds(head.name_ends) || holds(head.id_mark) ||
           holds(head.arguments_mark) || any_holds(head.call_closes);
  };
  return std::any_of(syntax.thinking.begin(), syntax.thinking.end(), is_pair) ||
         std::any_of(syntax.wrappers.begin(), syntax.wrappers.end(), is_pair) ||
         std::any_of(syntax.openings.begin(), syntax.openings.end(), is_opening) ||
         any_holds(syntax.orphans);
}

void name_by_form(std::string_view printed, AnswerSyntax& syntax) {
  struct Form {
    std::string_view family;
    std::string_view mark;
    std::string_view next;  ///< bytes, one of which follows the mark
    std::string_view name;
  };
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  const std::array<Form, 4> forms = {{{"hermes", "<tool_call>", "<", "qwen3_xml"},
                                      {"hermes", "<tool_call>", kLetters, "glm"},
                                      {"mistral_v3", "[TOOL_CALLS]", kLetters, "mistral_v11"},
                                      {"deepseek_v3", "sep\uFF5C>", "{", "deepseek_v31"}}};
  for (const Form& form : forms) {
    const std::size_t mark = printed.find(form.mark);
    if (syntax.family != form.family || mark == std::string_view::npos) continue;
    const std::size_t next = printed.find_first_not_of(" \t\r\n", mark + form.mark.size());
    const bool has_form =
        next != std::string_view::npos && form.next.find(printed[next]) != std::string_view::npos;
    if (!has_form) continue;
    syntax.family = form.name;
    syntax.example = call_example(form.name);
  }
}

std::vector<std::string> answer_families() {
  std::vector<std::string> names;
  for (const AnswerSyntax& syntax : families()) names.push_back(syntax.family);
  return names;
}

}  // namespace vernal
