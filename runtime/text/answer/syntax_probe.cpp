#include "text/answer/syntax_probe.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "text/answer/example_reader.hpp"
#include "text/answer/probe/call_reading.hpp"
#include "text/answer/probe/conversations.hpp"
#include "text/answer/probe/family_choice.hpp"
#include "text/answer/probe/printed_tags.hpp"
#include "text/answer/probe/unknown_marks.hpp"

namespace vernal {
namespace {

using probe::Conversations;
using probe::has;
using probe::kReasoning;
using probe::kText;
using probe::stripped;

constexpr std::string_view kAssumedFamily = "hermes";

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
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
  const probe::Reading reading = probe::read_with(syntax, example);
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
  return ThinkingMarks{
      {std::string(probe::last_tag(before)), std::string(probe::first_tag(rest)), false},
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
  return with_call.substr(0, with_call.find(probe::kResult));
}

/// A syntax that reads the printed call again.
std::optional<AnswerSyntax> learned_syntax(std::string_view printed, std::string_view source) {
  if (!has(printed, kExampleValue)) return std::nullopt;
  if (const AnswerSyntax* const family = probe::best_reader(printed, source)) {
    AnswerSyntax syntax = *family;
    name_by_form(printed, syntax);
    return syntax;
  }
  if (std::optional<AnswerSyntax> syntax = probe::unknown_syntax(printed)) return syntax;
  if (const AnswerSyntax* const family = probe::unmarked_reader(printed, source)) return *family;
  return std::nullopt;
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
    const AnswerSyntax* const family = probe::mentioned_family(generating, source, is_token);
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
