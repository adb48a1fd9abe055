#include "text/answer/probe/unknown_marks.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "text/answer/probe/call_reading.hpp"
#include "text/answer/probe/family_choice.hpp"
#include "text/answer/probe/printed_tags.hpp"

namespace vernal::probe {
namespace {

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

}  // namespace

std::optional<AnswerSyntax> unknown_syntax(std::string_view printed) {
  if (std::optional<AnswerSyntax> syntax = unknown_tags(printed)) return syntax;
  return unknown_json(printed);
}

}  // namespace vernal::probe
