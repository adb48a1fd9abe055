#include "text/answer/call_writing.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <utility>

#include "text/answer/example_reader.hpp"
#include "text/answer/offered_tools.hpp"
#include "text/answer/values/json_text.hpp"
#include "text/exact_json.hpp"
#include "text/grammar/mask/vocabulary.hpp"

namespace vernal {
namespace {

namespace json = boost::json;
using grammar::ArgumentForm;
using grammar::CallPart;
using grammar::CallSource;

/// Appends a text, with the example's words replaced: the name, and ids, which are for the model to
/// choose.
void append_parts(std::string_view text, std::string_view name, bool name_is_id,
                  std::vector<CallPart>& parts) {
  std::string rest(text);
  while (!rest.empty()) {
    const std::size_t tool = rest.find(kExampleTool);
    const std::size_t id = rest.find(kExampleId);
    const std::size_t next = std::min(tool, id);
    std::string before = rest.substr(0, next);
    if (!before.empty()) parts.push_back({CallPart::Kind::kText, std::move(before)});
    if (next == std::string::npos) return;
    if (next == id) {
      parts.push_back({CallPart::Kind::kPattern, "[A-Za-z0-9]{9}"});
      rest.erase(0, id + kExampleId.size());
      continue;
    }
    const bool is_quoted = tool > 0 && rest[tool - 1] == '"';
    const std::string quoted = json_string(name);
    parts.push_back({CallPart::Kind::kText,
                     is_quoted ? quoted.substr(1, quoted.size() - 2) : std::string(name)});
    rest.erase(0, tool + kExampleTool.size());
    constexpr std::string_view kIndex = "\" index=\"";
    if (rest.starts_with(std::string(kIndex) + "1\"")) {  // which call of the answer it is
      parts.push_back({CallPart::Kind::kText, std::string(kIndex)});
      parts.push_back({CallPart::Kind::kPattern, "[0-9]{1,3}"});
      rest.erase(0, kIndex.size() + 1);
    }
    if (name_is_id && rest.starts_with(":0")) {
      parts.push_back({CallPart::Kind::kPattern, ":[0-9]{1,3}"});
      rest.erase(0, 2);
    }
  }
}

/// Texts next to each other become one, so that their tokens may reach over the border.
void join_texts(std::vector<CallPart>& parts) {
  std::vector<CallPart> joined;
  for (CallPart& part : parts) {
    const bool is_text = part.kind == CallPart::Kind::kText;
    if (is_text && !joined.empty() && joined.back().kind == CallPart::Kind::kText) {
      joined.back().text += part.text;
    } else {
      joined.push_back(std::move(part));
    }
  }
  parts = std::move(joined);
}

/// A text with control tokens in it, as a grammar has them. False: it has a token that ends the
/// answer and is not the end of the text; at the end of the text that token is left out.
bool to_grammar_bytes(std::string& text, const Tokenizer& tokenizer) {
  std::string bytes;
  bool is_at_border = true;
  bool has_ended = false;
  for (const TokenId token : tokenizer.encode(text, {.parse_special = true})) {
    if (has_ended) return false;
    has_ended = tokenizer.is_end_of_generation(token);
    if (has_ended) continue;
    std::string_view piece = tokenizer.token_bytes(token);
    const bool has_added_space =
        is_at_border && tokenizer.has_space_prefix() && piece.starts_with(' ');
    if (has_added_space) piece.remove_prefix(1);
    is_at_border = tokenizer.is_control(token);
    bytes += is_at_border ? grammar::control_bytes(token) : std::string(piece);
  }
  text = std::move(bytes);
  return true;
}

/// `properties` that are there and empty say that a tool has no arguments.
bool has_no_arguments(const json::object& schema) {
  const json::value* const properties = schema.if_contains("properties");
  if (properties == nullptr || !properties->is_object() || !properties->get_object().empty()) {
    return false;
  }
  constexpr std::array<std::string_view, 8> kOthers = {"additionalProperties",
                                                       "patternProperties",
                                                       "unevaluatedProperties",
                                                       "required",
                                                       "$ref",
                                                       "allOf",
                                                       "anyOf",
                                                       "oneOf"};
  return std::ranges::none_of(kOthers, [&](std::string_view key) {
    return schema.contains({key.data(), key.size()});
  });
}

std::string schema_of(const ToolDefinition& tool) {
  const json::value* const function = tool.definition.if_contains("function");
  const json::value* const schema = function != nullptr && function->is_object()
                                        ? function->get_object().if_contains("parameters")
                                        : nullptr;
  if (schema == nullptr || schema->is_null()) return R"({"type": "object"})";
  if (!schema->is_object() || !has_no_arguments(schema->get_object())) {
    return exact_json_text(*schema);
  }
  json::object closed = schema->get_object();
  closed["additionalProperties"] = false;
  return exact_json_text(closed);
}

/// The names of a tool's arguments, as far as its schema says them at its root.
std::vector<std::string> argument_names(const ToolDefinition& tool) {
  std::vector<std::string> names;
  const json::value* const function = tool.definition.if_contains("function");
  if (function == nullptr || !function->is_object()) return names;
  const json::value* const schema = function->get_object().if_contains("parameters");
  if (schema == nullptr || !schema->is_object()) return names;
  const json::value* const properties = schema->get_object().if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return names;
  for (const auto& member : properties->get_object()) names.emplace_back(member.key());
  return names;
}

/// What stands before the arguments of a tool; nothing where it is not one text.
std::optional<std::string> text_before_arguments(const CallSource& source,
                                                 const grammar::CalledTool& tool) {
  std::string text = source.open;
  for (const CallPart& part : tool.parts) {
    if (part.kind == CallPart::Kind::kArguments) return text;
    if (part.kind != CallPart::Kind::kText) return std::nullopt;
    text += part.text;
  }
  return std::nullopt;
}

/// The signs of calls that begin without a mark: the text up to where a reader takes it for a call.
/// That is the name of an offered tool and the first byte of its arguments; of Python's calls, the
/// first argument's name or the end.
std::vector<CallSign> call_signs(const AnswerSyntax& syntax, const CallOpening* opening,
                                 const std::vector<ToolDefinition>& tools,
                                 const CallSource& source) {
  using Place = CallSign::Place;
  const bool begins_line = opening == nullptr || opening->begins_line;
  const Place place = begins_line ? Place::kLineStart : Place::kAnywhere;
  std::vector<CallSign> signs;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::optional<std::string> head = text_before_arguments(source, source.tools[i]);
    if (!head) continue;
    if (source.form == ArgumentForm::kPython) {
      signs.push_back({{}, *head + ")", place});
      for (const std::string& name : argument_names(tools[i])) {
        signs.push_back({{}, *head + name + source.keyed.before_value, place});
      }
      continue;
    }
    const bool is_json = source.form == ArgumentForm::kJson;
    const std::string text = *head + (is_json ? "{" : "");
    if (syntax.has_recipients) {
      signs.push_back({{}, text, Place::kAnswerStart});
      signs.push_back({std::string(kRecipientMark), text, place});
    } else {
      signs.push_back({{}, text, place});
    }
  }
  return signs;
}

bool to_grammar_bytes(CallSource& source, const Tokenizer& tokenizer) {
  bool is_good = to_grammar_bytes(source.open, tokenizer);
  is_good = to_grammar_bytes(source.close, tokenizer) && is_good;
  grammar::KeyedForm& keyed = source.keyed;
  std::vector<std::string*> texts = {&keyed.before_key,  &keyed.before_value, &keyed.before_string,
                                     &keyed.after_value, &keyed.between,      &keyed.string_mark,
                                     &keyed.element_mark};
  for (std::string& mark : keyed.marks) texts.push_back(&mark);
  for (grammar::TypedText& typed : keyed.before_typed) texts.push_back(&typed.text);
  const auto add = [&](CallPart& part) {
    if (part.kind == CallPart::Kind::kText) texts.push_back(&part.text);
  };
  for (CallPart& part : source.preamble) add(part);
  for (grammar::CalledTool& tool : source.tools) {
    for (CallPart& part : tool.parts) add(part);
  }
  for (std::string* const text : texts) is_good = to_grammar_bytes(*text, tokenizer) && is_good;
  return is_good;
}

}  // namespace

std::optional<CallGrammarSource> call_grammar_source(const AnswerSyntax& syntax,
                                                     const std::vector<ToolDefinition>& tools,
                                                     bool is_list, const Tokenizer& tokenizer) {
  if (tools.empty()) return std::nullopt;
  std::optional<ReadExample> example = read_example(syntax, is_list);
  if (!example) return std::nullopt;
  const OfferedTools offered(tools);
  const CallOpening* const opening = example->opening;
  const bool name_is_id = opening != nullptr && opening->head.name_is_id;
  CallGrammarSource result;
  grammar::GrammarSource& source = result.source;
  source.kind = grammar::GrammarSource::Kind::kCalls;
  source.options.order = grammar::PropertyOrder::kAny;
  source.options.whitespace = example->whitespace;
  source.calls = std::move(example->source);
  for (const ToolDefinition& tool : tools) {
    grammar::CalledTool called{.name = tool.name, .schema = schema_of(tool), .parts = {}};
    append_parts(example->head, tool.name, name_is_id, called.parts);
    called.parts.push_back({CallPart::Kind::kArguments, {}});
    append_parts(example->tail, tool.name, name_is_id, called.parts);
    join_texts(called.parts);
    called.text_keys = offered.text_parameters(tool.name);
    source.calls.tools.push_back(std::move(called));
  }
  if (!to_grammar_bytes(source.calls, tokenizer)) return std::nullopt;
  result.is_marked = syntax.has_channels || (opening != nullptr && opening->is_marked);
  if (!result.is_marked) {
    result.signs = call_signs(syntax, opening, tools, source.calls);
    return result;
  }
  std::string mark = syntax.has_channels
                         ? syntax.example.substr(0, syntax.example.find(kExampleTool))
                         : opening->mark;
  to_grammar_bytes(mark, tokenizer);
  result.signs.push_back({{}, std::move(mark)});
  return result;
}

}  // namespace vernal
