#include "text/answer/example_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vernal {
namespace {

using grammar::ArgumentForm;
using grammar::CallPart;
using grammar::CallSource;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr auto kNone = std::string_view::npos;

const CallPart kLineEnd{CallPart::Kind::kPattern, "\\n?"};

std::string_view without_end_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// A parameter's closing mark, in which "{}" stands for its key.
std::string closing_mark(const TagForm& form, std::string_view key) {
  std::string mark = form.parameter_close;
  const std::size_t place = mark.find("{}");
  if (place != std::string::npos) mark.replace(place, 2, key);
  return mark;
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
    if (form == nullptr) return false;
    const std::string_view rest = text_.substr(value_);
    const FoundMark close = find_mark(rest, {closing_mark(*form, kExampleKey)});
    if (close.at == kNone) return false;
    arguments_begin_ = begin;
    if (form->has_elements) {
      source_.form = ArgumentForm::kElements;
      source_.keyed.element_mark = form->element_prefix;
      source_.keyed.marks = {form->element_prefix};
      arguments_end_ = value_ + close.end;
      return true;
    }
    std::size_t end = rest.find_first_not_of(kBlanks, close.end);
    end = end == kNone ? rest.size() : end;
    source_.form = ArgumentForm::kTags;
    grammar::KeyedForm& keyed = source_.keyed;
    keyed.before_key = text_.substr(begin, key_ - begin);
    keyed.before_value = between;
    keyed.after_value = rest.substr(kExampleValue.size(), end - kExampleValue.size());
    keyed.marks = {form->parameter_close, form->parameter_open};
    read_types(between);
    arguments_end_ = value_ + end;
    return true;
  }

  // The tag may say that the value is a string, or which type it has.
  void read_types(std::string_view between) {
    constexpr std::string_view kIsString = "string=\"true\"";
    constexpr std::string_view kStringType = "type=\"string\"";
    grammar::KeyedForm& keyed = source_.keyed;
    if (const std::size_t at = between.find(kIsString); at != kNone) {
      keyed.before_string = between;
      keyed.before_value.replace(at, kIsString.size(), "string=\"false\"");
    }
    const std::size_t at = between.find(kStringType);
    if (at == kNone) return;
    keyed.before_string = between;
    constexpr std::array<std::pair<grammar::ValueKinds, std::string_view>, 5> kTypes = {
        {{grammar::kNulls, "null"},
         {grammar::kBooleans, "boolean"},
         {grammar::kNumbers, "number"},
         {grammar::kArrays, "array"},
         {grammar::kObjects, "object"}}};
    for (const auto& [kinds, name] : kTypes) {
      std::string text(between);
      text.replace(at, kStringType.size(), fmt::format("type=\"{}\"", name));
      keyed.before_typed.push_back({kinds, std::move(text)});
    }
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

}  // namespace

std::optional<ReadExample> read_example(const AnswerSyntax& syntax, bool is_list) {
  ExampleReader reader(syntax, is_list);
  if (!reader.read()) return std::nullopt;
  return ReadExample{std::move(reader.source()), reader.whitespace(), reader.opening(),
                     reader.head(), reader.tail()};
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
    closes.push_back(closing_mark(*form, kExampleKey));
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
