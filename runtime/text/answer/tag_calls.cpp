// Calls in tags: a name in the opening tag, each argument in tags of its own.
#include <array>
#include <utility>

#include "text/answer/call_arguments.hpp"
#include "text/answer/call_context.hpp"
#include "text/answer/tag_arguments.hpp"

namespace vernal {
namespace {

constexpr std::string_view kCharacterData = "<![CDATA[";
constexpr std::string_view kCharacterDataEnd = "]]>";
constexpr std::string_view kKeyPlace = "{}";

std::string closing_mark(const TagForm& form, const std::string& key) {
  std::string mark = form.parameter_close;
  const std::size_t at = mark.find(kKeyPlace);
  if (at != std::string::npos) mark.replace(at, kKeyPlace.size(), key);
  return mark;
}

std::string without_escapes(std::string text) {
  const std::array<std::pair<std::string_view, std::string_view>, 2> escapes = {
      {{"&quot;", "\""}, {"&amp;", "&"}}};
  for (const auto& [escape, meant] : escapes) {
    for (std::size_t at = text.find(escape); at != std::string::npos;
         at = text.find(escape, at + meant.size())) {
      text.replace(at, escape.size(), meant);
    }
  }
  return text;
}

/// One function in tags, behind the mark before its name.
class TagFunction {
 public:
  TagFunction(CallContext& context, const CallOpening& opening, const TagForm& form)
      : context_(context), form_(form), in_(context.in), arguments_(context.sink, form) {
    enders_ = form_.function_closes;
    enders_.insert(enders_.end(), opening.closes.begin(), opening.closes.end());
    followers_ = enders_;
    followers_.push_back(form_.parameter_open);
  }

  Task<bool> read() {
    const bool has_name = co_await read_name();
    if (!has_name) co_return false;
    const int byte = co_await peek_behind_space();
    if (byte == '{' && form_.name_end == ">") {
      if (!context_.may_call(name_)) co_return false;
      context_.begin_call(name_);
      co_await skip_space(in_);
      co_await read_arguments(context_, form_.function_closes, false);
      context_.end_call();
      co_await skip_close();
      co_return true;
    }
    const bool is_good = co_await may_begin();
    if (!is_good) co_return false;
    context_.begin_call(name_);
    arguments_.begin();
    co_await read_parameters();
    context_.end_call();
    co_return true;
  }

 private:
  enum class ValueEnd : std::uint8_t { kClosed, kForgotten, kText };

  Task<bool> read_name() {
    if (form_.name_end.empty()) {  // a name alone: white space or a tag ends it
      int byte = co_await skip_space(in_);
      while (byte != TextInput::kNone && !is_space(byte) && byte != '<' &&
             name_.size() <= kMostNameBytes) {
        name_ += static_cast<char>(byte);
        in_.skip();
        byte = co_await in_.peek();
      }
      co_return context_.may_call(name_);
    }
    const std::vector<std::string> ends = {form_.name_end};
    name_ = co_await read_until(context_, ends, kMostNameBytes, false);
    if (name_.empty() || name_.find('<') != std::string::npos) co_return false;
    co_await match_mark(in_, ends);
    if (!form_.function_end.empty()) {
      const std::vector<std::string> tag_ends = {form_.function_end};
      co_await read_until(context_, tag_ends, kMostNameBytes, false);
      const int end = co_await match_mark(in_, tag_ends);
      if (end < 0) co_return false;
      name_ = without_escapes(name_);
    }
    co_return context_.may_call(name_);
  }

  Task<int> peek_behind_space() {
    const TextInput::Keep keep(in_);
    const std::size_t begin = in_.position();
    const int byte = co_await skip_space(in_);
    in_.rewind(begin);
    co_return byte;
  }

  /// Whether a parameter or an end follows the name. A name alone must be offered.
  Task<bool> may_begin() {
    if (!form_.name_end.empty()) co_return true;
    const TextInput::Keep keep(in_);
    const std::size_t begin = in_.position();
    const int byte = co_await skip_space(in_);
    const int mark = co_await match_mark(in_, followers_);
    in_.rewind(begin);
    const bool has_parameter = mark == static_cast<int>(followers_.size()) - 1;
    const bool is_alone = mark >= 0 || (byte == TextInput::kNone && in_.has_stopped());
    co_return has_parameter || (is_alone && context_.tools.has(bare_name(name_)));
  }

  Task<bool> skip_close() {
    const TextInput::Keep keep(in_);
    const std::size_t begin = in_.position();
    co_await skip_space(in_);
    const int close = co_await match_mark(in_, form_.function_closes);
    if (close < 0) in_.rewind(begin);
    co_return close >= 0;
  }

  /// Up to the function's end; its closing mark is taken, that of the section is not.
  Task<bool> read_parameters() {
    const TextInput::Keep keep(in_);
    while (true) {
      const std::size_t begin = in_.position();
      const int byte = co_await skip_space(in_);
      const std::size_t behind_space = in_.position();
      const int mark = co_await match_mark(in_, followers_);
      if (mark == static_cast<int>(followers_.size()) - 1) {
        const bool is_ended = co_await read_parameter();
        if (is_ended) continue;
        if (is_broken_) {
          in_.rewind(behind_space);
          arguments_.end();
        }
        co_return false;
      }
      const bool is_cut = byte == TextInput::kNone && !in_.has_stopped();
      if (!is_cut) arguments_.end();
      const bool closes_function =
          mark >= 0 && mark < static_cast<int>(form_.function_closes.size());
      if (mark < 0) in_.rewind(begin);
      if (mark >= 0 && !closes_function) in_.rewind(behind_space);
      co_return true;
    }
  }

  /// False: the text ended in it.
  Task<bool> read_parameter() {
    const std::vector<std::string> key_ends = {form_.key_end};
    key_ = co_await read_until(context_, key_ends, kMostNameBytes, false);
    const int key_end = co_await match_mark(in_, key_ends);
    if (key_end < 0) co_return co_await give_up();
    type_ = context_.tools.type_of(bare_name(name_), key_);
    if (!form_.value_open.empty()) {
      const std::vector<std::string> opens = {form_.value_open};
      const std::string attributes = co_await read_until(context_, opens, kMostNameBytes, false);
      const int open = co_await match_mark(in_, opens);
      if (open < 0) co_return co_await give_up();
      read_type(attributes);
      if (!form_.function_end.empty()) key_ = without_escapes(key_);
    }
    close_ = closing_mark(form_, key_);
    if (form_.has_character_data) {
      const std::vector<std::string> data = {std::string(kCharacterData)};
      if ((co_await match_mark(in_, data)) >= 0) close_ = std::string(kCharacterDataEnd) + close_;
    }
    if (form_.has_line_breaks) co_await skip_line_break();
    num_nested_ = 0;
    arguments_.begin_value(key_, type_);
    const bool is_ended = co_await read_value();
    co_return is_ended;
  }

  /// A tag that is not whole. At the end of the text nothing can be made of it; else it is no tag,
  /// and the call ends before it.
  Task<bool> give_up() {
    is_broken_ = (co_await in_.peek()) != TextInput::kNone;
    co_return false;
  }

  /// string="true", type="number": the mark says the type.
  void read_type(std::string_view attributes) {
    const auto has = [&](std::string_view text) {
      return attributes.find(text) != std::string_view::npos;
    };
    if (has("string=\"true\"") || has("type=\"string\""))
      type_ = {.is_declared = true, .is_string = true};
    if (has("string=\"false\"") || (has("type=\"") && !has("type=\"string\""))) {
      type_ = {.is_declared = true};
    }
  }

  Task<bool> skip_line_break() {
    const std::vector<std::string> breaks = {"\r\n", "\n"};
    const int found = co_await match_mark(in_, breaks);
    co_return found >= 0;
  }

  /// False: the text ended in the value.
  Task<bool> read_value() {
    const TextInput::Keep keep(in_);
    const std::vector<std::string> marks = {close_, form_.parameter_open};
    std::array<bool, 256> special{};
    for (const std::string& mark : marks) special[static_cast<unsigned char>(mark.front())] = true;
    while (true) {
      arguments_.put(in_.take_run(special));
      const int byte = co_await in_.peek();
      if (byte == TextInput::kNone) {
        arguments_.cut_value();
        co_return false;
      }
      const std::size_t begin = in_.position();
      const int mark = co_await match_mark(in_, marks);
      ValueEnd end = ValueEnd::kText;
      if (mark == 0) end = co_await judge_close();
      if (mark == 1) end = co_await judge_open(begin);
      if (end != ValueEnd::kText) {
        arguments_.end_value();
        co_return true;
      }
      if (mark < 0) in_.skip();
      arguments_.put(in_.since(begin));
    }
  }

  /// A closing mark ends the value if another opening, an end of the function or the block, or the
  /// end of the text follows it.
  Task<ValueEnd> judge_close() {
    if (num_nested_ > 0) {
      --num_nested_;
      co_return ValueEnd::kText;
    }
    const TextInput::Keep keep(in_);
    const std::size_t end = in_.position();
    const int byte = co_await skip_space(in_);
    const int next = co_await match_mark(in_, followers_);
    in_.rewind(end);
    co_return next >= 0 || byte == TextInput::kNone ? ValueEnd::kClosed : ValueEnd::kText;
  }

  /// An opening mark where a line begins nests, unless its parameter is still to come.
  Task<ValueEnd> judge_open(std::size_t begin) {
    if (!arguments_.is_at_line_start() || form_.has_elements) co_return ValueEnd::kText;
    const TextInput::Keep keep(in_);
    const std::size_t end = in_.position();
    const std::vector<std::string> key_ends = {form_.key_end};
    const std::string key = co_await read_until(context_, key_ends, kMostNameBytes, false);
    const ParameterType type = context_.tools.type_of(bare_name(name_), key);
    const bool is_to_come = type.is_declared && key != key_ && !arguments_.has(key);
    if (is_to_come && num_nested_ == 0) {
      in_.rewind(begin);
      co_return ValueEnd::kForgotten;
    }
    if (!key.empty()) ++num_nested_;
    in_.rewind(end);
    co_return ValueEnd::kText;
  }

  CallContext& context_;
  const TagForm& form_;
  TextInput& in_;
  std::vector<std::string> enders_;
  std::vector<std::string> followers_;  // the ends, and last the mark before a parameter
  std::string name_;
  TagArguments arguments_;

  bool is_broken_ = false;
  std::string key_;
  std::string close_;
  ParameterType type_;
  std::size_t num_nested_ = 0;
};

}  // namespace

Task<bool> read_tag_calls(CallContext& context, const CallOpening& opening, const TagForm& form) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  bool has_call = false;
  std::vector<std::string> opens = {form.function_open};
  std::vector<std::string> marks = opens;
  marks.insert(marks.end(), opening.closes.begin(), opening.closes.end());
  bool is_open = form.function_open.empty() || opening.mark == form.function_open;
  while (true) {
    const std::size_t begin = in.position();
    if (!is_open) {
      co_await skip_space(in);
      const int mark = co_await match_mark(in, marks);
      if (mark > 0) co_return has_call;
      if (mark < 0) {
        in.rewind(begin);
        co_return has_call;
      }
    }
    is_open = false;
    TagFunction function(context, opening, form);
    const bool is_call = co_await function.read();
    if (!is_call) {
      in.rewind(begin);
      co_return has_call;
    }
    has_call = true;
    if (form.function_open.empty()) {  // one in each pair of marks
      const std::size_t end = in.position();
      co_await skip_space(in);
      if ((co_await match_mark(in, opening.closes)) < 0) in.rewind(end);
      co_return true;
    }
  }
}

}  // namespace vernal
