// The known families of models: which there are, which are preferred, and which has a name or a form.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/families/call_examples.hpp"
#include "text/answer/families/descriptions.hpp"

namespace vernal {
namespace families {
namespace {

AnswerSyntax renamed(AnswerSyntax syntax, std::string family) {
  syntax.family = std::move(family);
  return syntax;
}

/// Those that come first are preferred where several read the same.
std::vector<AnswerSyntax> in_order() {
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

}  // namespace
}  // namespace families

namespace {

const std::vector<AnswerSyntax>& all_families() {
  static const std::vector<AnswerSyntax> kAll = [] {
    std::vector<AnswerSyntax> all = families::in_order();
    for (AnswerSyntax& syntax : all) syntax.example = call_example(syntax.family);
    return all;
  }();
  return kAll;
}

}  // namespace

const AnswerSyntax* find_answer_syntax(std::string_view family) {
  const std::vector<AnswerSyntax>& all = all_families();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const AnswerSyntax& syntax) { return syntax.family == family; });
  return found == all.end() ? nullptr : &*found;
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
  for (const AnswerSyntax& syntax : all_families()) names.push_back(syntax.family);
  return names;
}

}  // namespace vernal
