#include "text/answer/probe/family_choice.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <tuple>

#include "text/answer/probe/call_reading.hpp"
#include "text/answer/probe/printed_tags.hpp"

namespace vernal::probe {
namespace {

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

std::size_t longest_token_of(const AnswerSyntax& syntax, const IsToken& is_token) {
  std::size_t longest = 0;
  for (const CallOpening& opening : syntax.openings) {
    if (opening.is_marked && is_token(opening.mark))
      longest = std::max(longest, opening.mark.size());
  }
  return longest;
}

/// The family whose mark is the longest, as `mark_of` measures it.
const AnswerSyntax* longest_marked(const std::function<std::size_t(const AnswerSyntax&)>& mark_of) {
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

}  // namespace

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

const AnswerSyntax* unmarked_reader(std::string_view printed, std::string_view source) {
  for (const std::string& family : answer_families()) {
    const AnswerSyntax& syntax = *find_answer_syntax(family);
    const bool is_known = family == kBareFamily || longest_mark_in(source, syntax) > 0;
    if (is_known && read_with(syntax, printed).is_right) return &syntax;
  }
  return nullptr;
}

const AnswerSyntax* mentioned_family(std::string_view prompt, std::string_view source,
                                     const IsToken& is_token) {
  for (const std::string_view text : {prompt, source}) {
    const AnswerSyntax* const family =
        longest_marked([&](const AnswerSyntax& syntax) { return longest_mark_in(text, syntax); });
    if (family != nullptr) return family;
  }
  return longest_marked(
      [&](const AnswerSyntax& syntax) { return longest_token_of(syntax, is_token); });
}

}  // namespace vernal::probe
