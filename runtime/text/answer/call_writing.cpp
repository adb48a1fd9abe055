#include "text/answer/call_writing.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <utility>

#include "text/answer/offered_tools.hpp"
#include "text/answer/value_transducer.hpp"
#include "text/exact_json.hpp"
#include "text/grammar/mask/vocabulary.hpp"

namespace vernal {
namespace {

namespace json = boost::json;
using grammar::ArgumentForm;
using grammar::CallPart;
using grammar::CallSource;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kRecipientMark = ">>>";
constexpr auto kNone = std::string_view::npos;

const CallPart kLineEnd{CallPart::Kind::kPattern, "\\n?"};

std::string_view without_end_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// The first of some marks in a text, and where; npos: none of them.
struct FoundMark {
  std::size_t at = kNone;
  std::size_t end = kNone;
};

FoundMark find_mark(std::string_view text, const std::vector<std::string>& marks) {
  FoundMark found;
  for (const std::string& mark : marks) {
    const std::size_t at = mark.empty() ? kNone : text.find(mark);
    if (at < found.at) found = {at, at + mark.size()};
  }
  return found;
}

/// The opening by which an example begins; null for one without a mark.
const CallOpening* opening_of(std::string_view example, const AnswerSyntax& syntax) {
  const std::string_view before = example.substr(0, example.find(kExampleTool));
  const CallOpening* found = nullptr;
  std::size_t first = kNone;
  for (const CallOpening& opening : syntax.openings) {
    const std::size_t at = before.find(opening.mark);
    const bool is_better =
        at < first || (at == first && at != kNone && opening.mark.size() > found->mark.size());
    if (is_better) {
      found = &opening;
      first = at;
    }
  }
  return found;
}

/// An example taken apart: its texts are those of `source`, and the first tool's parts are the
/// example's, the name in kExampleTool's place.
class ExampleReader {
 public:
  ExampleReader(const AnswerSyntax& syntax, bool is_list)
      : syntax_(syntax), text_(syntax.example), opening_(opening_of(text_, syntax)) {
    source_.is_list = is_list;
    source_.gap = kLineEnd;
  }

  /// False: the form has no grammar.
  bool read() {
    name_ = text_.find(kExampleTool);
    key_ = text_.find(kExampleKey, name_ == kNone ? 0 : name_);
    value_ = text_.find(kExampleValue, key_ == kNone ? 0 : key_);
    if (name_ == kNone || key_ == kNone || value_ == kNone) return false;
    if (!read_arguments()) return false;
    head_ = text_.substr(0, arguments_begin_);
    tail_ = text_.substr(arguments_end_);
    split_section();
    if (syntax_.has_channels) {
      source_.is_list = false;
      source_.preamble = {{CallPart::Kind::kText, "<|channel|>analysis<|message|>"},
                          {CallPart::Kind::kPattern, "[\\s\\S]*"},
                          {CallPart::Kind::kText, "<|end|><|start|>assistant"}};
    }
    return true;
  }

  CallSource& source() noexcept { return source_; }
  grammar::Whitespace whitespace() const noexcept { return whitespace_; }
  const CallOpening* opening() const noexcept { return opening_; }
  std::string_view head() const noexcept { return head_; }
  std::string_view tail() const noexcept { return tail_; }

 private:
  bool read_arguments() {
    const std::string_view between =
        text_.substr(key_ + kExampleKey.size(), value_ - key_ - kExampleKey.size());
    const std::size_t value_end = value_ + kExampleValue.size();
    const bool is_json = key_ > 0 && text_[key_ - 1] == '"' && between.front() == '"' &&
                         between.find(':') != kNone && between.back() == '"';
    if (is_json) {
      arguments_begin_ = text_.rfind('{', key_);
      arguments_end_ = text_.find('}', value_end);
      if (arguments_begin_ == kNone || arguments_end_ == kNone) return false;
      ++arguments_end_;
      whitespace_ =
          between.find(' ') != kNone ? grammar::Whitespace::kSpaced : grammar::Whitespace::kCompact;
      if (text_[arguments_begin_ + 1] == '\n') whitespace_ = grammar::Whitespace::kAny;
      return true;
    }
    if (between == "='" || between == "=\"") {
      source_.form = ArgumentForm::kPython;
      source_.keyed = {.before_value = "=", .between = ", "};
      arguments_begin_ = key_;
      arguments_end_ = value_end + 1;
      return true;
    }
    if (opening_ == nullptr) return false;
    return opening_->form == CallForm::kMarked ? read_marked(between) : read_tags(between);
  }

  bool read_marked(std::string_view between) {
    if (between != ":" + opening_->string_mark) return false;
    source_.form = ArgumentForm::kMarked;
    source_.keyed = {.before_value = ":", .between = ",", .string_mark = opening_->string_mark};
    whitespace_ = grammar::Whitespace::kCompact;
    arguments_begin_ = key_;
    arguments_end_ = value_ + kExampleValue.size() + opening_->string_mark.size();
    return true;
  }

  bool read_tags(std::string_view between) {
    const TagForm* form = nullptr;
    std::size_t begin = kNone;
    for (const TagForm* each : {&opening_->tags, &opening_->name_tags}) {
      if (each->parameter_open.empty()) continue;
      begin = text_.substr(0, key_).rfind(each->parameter_open);
      if (begin != kNone) form = each;
      if (form != nullptr) break;
    }
    if (form == nullptr || form->has_elements) return false;
    const std::string_view rest = text_.substr(value_);
    const FoundMark close = find_mark(rest, {form->parameter_close});
    const bool is_typed = between.find("type=") != kNone;
    if (close.at == kNone || is_typed) return false;
    std::size_t end = rest.find_first_not_of(kBlanks, close.end);
    end = end == kNone ? rest.size() : end;
    source_.form = ArgumentForm::kTags;
    grammar::KeyedForm& keyed = source_.keyed;
    keyed.before_key = text_.substr(begin, key_ - begin);
    keyed.before_value = between;
    keyed.after_value = rest.substr(kExampleValue.size(), end - kExampleValue.size());
    keyed.marks = {form->parameter_close, form->parameter_open};
    constexpr std::string_view kIsString = "string=\"true\"";
    if (const std::size_t at = between.find(kIsString); at != kNone) {
      keyed.before_string = between;
      keyed.before_value.replace(at, kIsString.size(), "string=\"false\"");
    }
    arguments_begin_ = begin;
    arguments_end_ = value_ + end;
    return true;
  }

  // What stands before the first call and behind the last, however many there are.
  void split_section() {
    const std::size_t brace = text_.substr(0, name_).rfind('{');
    const std::size_t object = brace == kNone ? name_ : brace;
    const std::string_view before = without_end_blanks(text_.substr(0, object));
    const std::size_t list_end = tail_.find(']');
    if (before.ends_with('[') && list_end != kNone) {
      cut(object, without_end_blanks(tail_.substr(0, list_end)).size());
      source_.gap = {CallPart::Kind::kText, ", "};
    } else if (opening_ != nullptr) {
      split_at_marks();
    }
    if (syntax_.has_recipients) source_.gap = {CallPart::Kind::kText, std::string(kRecipientMark)};
    const bool is_bare = head_.starts_with('{') || head_.starts_with('`');
    if (is_bare && source_.open.empty()) source_.gap = {CallPart::Kind::kText, "\n"};
    source_.gap_is_blank = source_.gap == kLineEnd || source_.gap.text == "\n";
  }

  void split_at_marks() {
    FoundMark call = find_mark(head_, opening_->call_opens);
    if (opening_->form == CallForm::kTags) call = find_mark(head_, {opening_->tags.function_open});
    const FoundMark close = find_mark(tail_, opening_->closes);
    const bool is_section = call.at != kNone && call.at > 0;
    if (is_section) cut(call.at, close.at == kNone ? tail_.size() : close.at);
  }

  void cut(std::size_t head, std::size_t tail) {
    source_.open = head_.substr(0, head);
    source_.close = tail_.substr(tail);
    head_.remove_prefix(head);
    tail_ = tail_.substr(0, tail);
  }

  const AnswerSyntax& syntax_;
  std::string_view text_;
  const CallOpening* opening_;
  CallSource source_;
  grammar::Whitespace whitespace_ = grammar::Whitespace::kSpaced;
  std::size_t name_ = kNone;
  std::size_t key_ = kNone;
  std::size_t value_ = kNone;
  std::size_t arguments_begin_ = 0;
  std::size_t arguments_end_ = 0;
  std::string_view head_;
  std::string_view tail_;
};

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

bool to_grammar_bytes(CallSource& source, const Tokenizer& tokenizer) {
  bool is_good = to_grammar_bytes(source.open, tokenizer);
  is_good = to_grammar_bytes(source.close, tokenizer) && is_good;
  grammar::KeyedForm& keyed = source.keyed;
  std::vector<std::string*> texts = {&keyed.before_key,  &keyed.before_value, &keyed.before_string,
                                     &keyed.after_value, &keyed.between,      &keyed.string_mark};
  for (std::string& mark : keyed.marks) texts.push_back(&mark);
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
  ExampleReader example(syntax, is_list);
  if (tools.empty() || !example.read()) return std::nullopt;
  const OfferedTools offered(tools);
  const CallOpening* const opening = example.opening();
  const bool name_is_id = opening != nullptr && opening->head.name_is_id;
  CallGrammarSource result;
  grammar::GrammarSource& source = result.source;
  source.kind = grammar::GrammarSource::Kind::kCalls;
  source.options.order = grammar::PropertyOrder::kAny;
  source.options.whitespace = example.whitespace();
  source.calls = std::move(example.source());
  for (const ToolDefinition& tool : tools) {
    grammar::CalledTool called{.name = tool.name, .schema = schema_of(tool), .parts = {}};
    append_parts(example.head(), tool.name, name_is_id, called.parts);
    called.parts.push_back({CallPart::Kind::kArguments, {}});
    append_parts(example.tail(), tool.name, name_is_id, called.parts);
    join_texts(called.parts);
    called.text_keys = offered.text_parameters(tool.name);
    source.calls.tools.push_back(std::move(called));
  }
  if (!to_grammar_bytes(source.calls, tokenizer)) return std::nullopt;
  if (syntax.has_channels) {
    result.opener = syntax.example.substr(0, syntax.example.find(kExampleTool));
  } else if (opening != nullptr && opening->is_marked) {
    result.opener = opening->mark;
  }
  to_grammar_bytes(result.opener, tokenizer);
  return result;
}

std::string_view example_in(std::string_view printed, const AnswerSyntax& syntax) {
  const CallOpening* const opening = opening_of(printed, syntax);
  const std::size_t value = printed.find(kExampleValue);
  if (opening == nullptr || value == kNone) return {};
  std::size_t end = value + kExampleValue.size();
  std::vector<std::string> closes = opening->closes;
  closes.insert(closes.end(), opening->head.call_closes.begin(), opening->head.call_closes.end());
  for (const TagForm* form : {&opening->tags, &opening->name_tags}) {
    closes.insert(closes.end(), form->function_closes.begin(), form->function_closes.end());
    closes.push_back(form->parameter_close);
  }
  // Brackets, an id and marks belong to the call.
  while (end < printed.size()) {
    const std::string_view rest = printed.substr(end);
    const FoundMark close = find_mark(rest, closes);
    const std::size_t other = rest.find_first_not_of(" \t\r\n\"')}]");
    const std::string id_member = ", \"id\": \"" + std::string(kExampleId);
    if (close.at != kNone && (other == kNone || close.at <= other)) {
      end += close.end;
    } else if (other != kNone && rest.substr(other).starts_with(id_member)) {
      end += other + id_member.size();
    } else {
      end += without_end_blanks(rest.substr(0, other)).size();
      break;
    }
  }
  const std::size_t begin = printed.find(opening->mark);
  return printed.substr(begin, end - begin);
}

}  // namespace vernal
