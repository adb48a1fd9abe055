#include "text/answer/answer_syntax.hpp"

#include <algorithm>

namespace vernal {

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

}  // namespace vernal
