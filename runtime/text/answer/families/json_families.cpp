// Families whose calls are JSON objects: those that json_calls.cpp reads.
#include <utility>

#include "text/answer/families/descriptions.hpp"
#include "text/answer/families/shared_openings.hpp"

namespace vernal::families {
namespace {

CallOpening json_calls(std::string mark, std::vector<std::string> closes) {
  return {.mark = std::move(mark), .closes = std::move(closes)};
}

}  // namespace

AnswerSyntax hermes() {
  AnswerSyntax syntax{.family = "hermes",
                      .thinking = {think_tags()},
                      .openings = {tool_call_opening(), bare_function_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax bare_json() {
  AnswerSyntax syntax{.family = "bare_json", .openings = {tool_call_opening()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax llama3() {
  AnswerSyntax syntax{.family = "llama3", .openings = {python_tag()}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax granite3() {
  AnswerSyntax syntax{.family = "granite3",
                      .thinking = {think_tags()},
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

AnswerSyntax json_between(std::string family, std::string open, std::string close) {
  AnswerSyntax syntax{.family = std::move(family),
                      .thinking = {think_tags()},
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

AnswerSyntax functools(std::string family) {
  AnswerSyntax syntax{
      .family = std::move(family),
      .thinking = {think_tags()},
      .openings = {json_calls("<|tool_call|>", {"<|/tool_call|>"}), json_calls("functools", {})}};
  add_bare_json(syntax.openings);
  return syntax;
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

}  // namespace vernal::families
