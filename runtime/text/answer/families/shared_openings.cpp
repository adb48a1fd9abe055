#include "text/answer/families/shared_openings.hpp"

#include <fmt/format.h>

#include <string_view>

namespace vernal::families {

MarkPair think_tags() { return {"<think>", "</think>", false}; }

TagForm equals_tags(bool has_line_breaks) {
  return {.function_open = "<function=",
          .name_end = ">",
          .function_closes = {"</function>"},
          .parameter_open = "<parameter=",
          .key_end = ">",
          .parameter_close = "</parameter>",
          .has_line_breaks = has_line_breaks};
}

TagForm key_value_tags(const std::string& suffix) {
  return {.parameter_open = fmt::format("<arg_key{}>", suffix),
          .key_end = fmt::format("</arg_key{}>", suffix),
          .value_open = fmt::format("<arg_value{}>", suffix),
          .parameter_close = fmt::format("</arg_value{}>", suffix)};
}

CallOpening tool_call_opening() {
  return {.mark = "<tool_call>",
          .form = CallForm::kFirstByte,
          .closes = {"</tool_call>"},
          .tags = equals_tags(true),
          .name_tags = key_value_tags("")};
}

CallOpening bare_function_opening() {
  return {.mark = "<function=",
          .form = CallForm::kTags,
          .is_marked = false,
          .closes = {"</tool_call>"},
          .tags = equals_tags(true)};
}

CallOpening python_tag() { return {.mark = "<|python_tag|>", .form = CallForm::kCode}; }

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

}  // namespace vernal::families
