#include "engine/request/answer_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/answer/call_writing.hpp"
#include "text/grammar/error.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

// Agents know these words, and send simpler schemas then.
constexpr std::string_view kAgentWords = "json-schema-to-grammar";

bool limits_tokens(const RequestDocument& document) {
  return !document.rules.bad_words.empty() || !document.rules.banned_strings.empty();
}

// The grammar of the request's format, and a warning for each part of it that does not hold.
std::shared_ptr<grammar::CompiledGrammar> compile_format(GrammarStore& grammars,
                                                         const RequestDocument& document,
                                                         Warnings& warnings) {
  if (limits_tokens(document)) {
    throw unsupported_parameter(
        "format", "Unsupported parameter: a format beside bad_words or banned_strings.");
  }
  try {
    GrammarStore::Entry entry = grammars.get(*document.format);
    for (const grammar::GrammarWarning& warning : entry.warnings) {
      if (warning.loss == grammar::Loss::kNarrowed) continue;  // no answer breaks it
      warnings.push_back(fmt::format("The format does not hold {} at {}: {}", warning.keyword,
                                     warning.pointer, warning.reason));
    }
    return std::move(entry.grammar);
  } catch (const grammar::GrammarError& error) {
    if (error.code() == VERNAL_UNSUPPORTED) throw unsupported_parameter("format", error.what());
    throw invalid_value("format", fmt::format("Invalid value for 'format': {}", error.what()));
  }
}

bool is_strict(const ToolDefinition& tool) {
  const boost::json::value* const function = tool.definition.if_contains("function");
  const boost::json::value* const strict = function != nullptr && function->is_object()
                                               ? function->get_object().if_contains("strict")
                                               : nullptr;
  return strict != nullptr && strict->is_bool() && strict->get_bool();
}

/// The grammar of the calls of one request.
class CallRulesMaker {
 public:
  CallRulesMaker(const RequestDocument& document, const AnswerFormat& format,
                 const Tokenizer& tokenizer)
      : document_(document), format_(format) {
    for (const ToolDefinition& tool : document.tools) {
      if (document.tool_choice.allows(tool.name)) tools_.push_back(tool);
    }
    must_hold_ = document.tool_choice.is_required || !document.tool_choice.allowed.empty() ||
                 std::ranges::any_of(tools_, is_strict);
    const bool is_list = document.has_parallel_calls;
    if (limits_tokens(document)) {
      problem_ = "calls of tools are not held to their schemas beside bad_words or banned_strings";
    } else if (format.syntax != nullptr) {
      source_ = call_grammar_source(*format.syntax, tools_, is_list, tokenizer);
      if (!source_) {
        problem_ = fmt::format("calls as models of the family \"{}\" write them have no grammar",
                               format.syntax->family);
      }
    }
  }

  void make(GrammarStore& grammars, AnswerRules& rules, Warnings& warnings) {
    if (!source_) {
      if (must_hold_) refuse(problem_);
      return;
    }
    const bool is_required = document_.tool_choice.is_required;
    const bool is_auto = !is_required && rules.content == nullptr;
    if (is_auto && !source_->is_marked && std::ranges::any_of(tools_, is_strict)) {
      refuse("a tool is strict, and calls of this model begin without a mark");
    }
    grammar::CallSource& calls = source_->source.calls;
    const bool is_section = !calls.open.empty() || !calls.close.empty();
    // Outside a section the text between two calls is free, unless there must be calls.
    if (!is_required && !is_section) calls.is_list = false;
    try {
      GrammarStore::Entry entry = grammars.get(source_->source);
      warn(entry.warnings, warnings);
      rules.calls = std::move(entry.grammar);
    } catch (const grammar::GrammarError& error) {
      if (must_hold_) refuse(error.what());
      warnings.push_back(
          fmt::format("Calls are not held to the schemas of the tools: {}", error.what()));
      return;
    }
    rules.call_signs = std::move(source_->signs);
    rules.must_call = is_required;
    rules.holds_thinking = format_.syntax->has_channels;
    if (rules.must_call) rules.content = nullptr;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    const std::string_view param = document_.tool_choice.is_required ? "tool_choice" : "tools";
    throw unsupported_parameter(
        std::string(param),
        fmt::format("Unsupported parameter: '{}': {}: {}.", param, kAgentWords, why));
  }

  // A warning's pointer begins with the tool's name.
  void warn(const std::vector<grammar::GrammarWarning>& found, Warnings& warnings) const {
    for (const grammar::GrammarWarning& warning : found) {
      if (warning.loss == grammar::Loss::kNarrowed) continue;  // no call breaks it
      const std::string_view tool =
          std::string_view(warning.pointer).substr(0, warning.pointer.find('#'));
      const auto has_name = [&](const ToolDefinition& each) { return each.name == tool; };
      const auto offered = std::ranges::find_if(tools_, has_name);
      const bool is_relaxed = warning.loss == grammar::Loss::kRelaxed;
      if (is_relaxed && offered != tools_.end() && is_strict(*offered)) {
        refuse(fmt::format("the tool is strict, and {} at {} cannot be held: {}", warning.keyword,
                           warning.pointer, warning.reason));
      }
      warnings.push_back(fmt::format("Calls are not held to {} at {}: {}", warning.keyword,
                                     warning.pointer, warning.reason));
    }
  }

  const RequestDocument& document_;
  const AnswerFormat& format_;
  std::vector<ToolDefinition> tools_;  // those that may be called
  bool must_hold_ = false;             // or the request is refused
  std::optional<CallGrammarSource> source_;
  std::string problem_;  // why there is no source
};

}  // namespace

AnswerRules answer_rules(GrammarStore& grammars, const RequestDocument& document,
                         const AnswerFormat& format, const Tokenizer& tokenizer,
                         Warnings& warnings) {
  AnswerRules rules;
  if (document.format) rules.content = compile_format(grammars, document, warnings);
  if (!document.tools.empty()) {
    CallRulesMaker(document, format, tokenizer).make(grammars, rules, warnings);
  }
  return rules;
}

}  // namespace vernal
