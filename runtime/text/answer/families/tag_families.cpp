// Families whose calls are tags: those that tag_calls.cpp reads.
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "text/answer/families/descriptions.hpp"
#include "text/answer/families/shared_openings.hpp"

namespace vernal::families {
namespace {

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

}  // namespace

AnswerSyntax dsml() {
  AnswerSyntax syntax{.family = "dsml", .thinking = {think_tags()}};
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
  AnswerSyntax syntax{
      .family = "glm", .thinking = {think_tags()}, .openings = {tool_call_opening()}};
  add_bare_json(syntax.openings);
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
          .thinking = {think_tags()},
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
          .thinking = {think_tags()},
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
          .thinking = {think_tags()},
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

}  // namespace vernal::families
