// Families whose calls are a name and a JSON object: those that headed_calls.cpp reads.
#include <string_view>
#include <utility>

#include "text/answer/families/descriptions.hpp"
#include "text/answer/families/shared_openings.hpp"

namespace vernal::families {
namespace {

/// A mark of DeepSeek with its words parted by U+2581, as published, or as distilled models write.
std::vector<std::string> block_marks(std::string_view words) {
  std::vector<std::string> marks;
  for (const std::string_view part : {"\u2581", "_", " "}) {
    std::string mark;
    for (const char byte : words) mark += byte == ' ' ? std::string(part) : std::string(1, byte);
    marks.push_back("<\uFF5C" + mark + "\uFF5C>");
  }
  return marks;
}

}  // namespace

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

AnswerSyntax deepseek(std::string family) {
  AnswerSyntax syntax{.family = std::move(family), .thinking = {think_tags()}};
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

AnswerSyntax kimi_k2() {
  AnswerSyntax syntax{.family = "kimi_k2", .thinking = {think_tags()}};
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

}  // namespace vernal::families
