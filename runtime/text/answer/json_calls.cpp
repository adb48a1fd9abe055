// Calls as JSON objects with a name and arguments.
#include "text/answer/call_arguments.hpp"
#include "text/answer/call_context.hpp"
#include "text/answer/values/json_text.hpp"
#include "text/answer/values/value_transducer.hpp"

namespace vernal {
namespace {

using Status = ValueTransducer::Status;

// The pseudo tool by which Command R+ says that it answers in plain text.
constexpr std::string_view kDirectAnswer = "directly_answer";
const std::vector<std::string> kJsonFences = {"```json", "```tool_call", "```"};
const std::vector<std::string> kFence = {"```"};

bool is_name_key(std::string_view key) { return key == "name" || key == "tool_name"; }
bool is_id_key(std::string_view key) { return key == "id" || key == "tool_call_id"; }
bool is_arguments_key(std::string_view key) {
  return key == "arguments" || key == "parameters" || key == "args";
}

/// A JSON value of at most `most` bytes; "" if it is none, too long or not whole.
Task<std::string> read_value(TextInput& in, std::size_t most) {
  ValueTransducer value(ValueStyle::kJson);
  std::string out;
  while (out.size() <= most) {
    const int byte = co_await in.peek();
    if (byte == TextInput::kNone) co_return std::string();
    const Status status = value.step(static_cast<char>(byte), out);
    if (status == Status::kUnexpected) {
      const bool is_word = value.is_complete();
      co_return is_word ? out : std::string();
    }
    in.skip();
    if (status == Status::kDone) co_return out;
  }
  co_return std::string();
}

/// One object that may be a call.
class CallObject {
 public:
  CallObject(CallContext& context, const CallOpening& opening,
             const std::vector<std::string>& closes)
      : context_(context), opening_(opening), closes_(closes), in_(context.in) {}

  /// At its brace. False: it is no call.
  Task<bool> read() {
    in_.skip();
    while (true) {
      int byte = co_await skip_space(in_);
      if (byte == '}' && num_nested_ == 0) {
        in_.skip();
        break;
      }
      if (byte == '}') {
        --num_nested_;
        in_.skip();
        continue;
      }
      if (byte == ',') {
        in_.skip();
        continue;
      }
      // Some templates show the object in doubled braces, and models write it so.
      const bool is_doubled = byte == '{' && num_nested_ == 0 && name_.empty() && !has_arguments_;
      if (is_doubled) {
        in_.skip();
        ++num_nested_;
        continue;
      }
      if (byte != '"') break;  // an end that is missing, or no JSON
      const bool is_good = co_await read_member();
      if (!is_good && !has_begun_) co_return false;
      if (!is_good) break;
    }
    co_return finish();
  }

 private:
  Task<bool> read_member() {
    const std::string written = co_await read_value(in_, kMostNameBytes);
    const std::string key = unescaped_json(json_string_body(written));
    int byte = co_await skip_space(in_);
    if (byte != ':' || written.empty()) co_return false;
    in_.skip();
    byte = co_await skip_space(in_);
    if (opening_.key_is_name && !has_begun_) {
      name_ = key;
      if (byte != '{' || !context_.may_call(name_)) co_return false;
      const bool is_read = co_await read_arguments_here();
      co_return is_read;
    }
    if (is_name_key(key) && byte == '"') {
      const bool is_good = co_await read_name();
      co_return is_good;
    }
    if (is_arguments_key(key) && !has_begun_ && !has_arguments_) {
      const bool is_good = co_await read_arguments_here();
      co_return is_good;
    }
    if (is_id_key(key)) {
      const std::string id = co_await read_value(in_, kMostNameBytes * 2);
      if (id.empty()) co_return false;
      id_ = id.front() == '"' ? unescaped_json(json_string_body(id)) : id;
      if (has_begun_) context_.call_id(id_);
      co_return true;
    }
    if (key == "function" && byte == '{') {
      in_.skip();
      ++num_nested_;
      co_return true;
    }
    const std::string skipped = co_await read_value(in_, kMostHeldBytes);
    co_return !skipped.empty();
  }

  Task<bool> read_name() {
    const std::string written = co_await read_value(in_, kMostNameBytes * 6);
    name_ = unescaped_json(json_string_body(written));
    if (written.empty() || !context_.may_call(name_)) co_return false;
    if (has_arguments_) begin();
    co_return true;
  }

  /// The value of the arguments' member.
  Task<bool> read_arguments_here() {
    const int byte = co_await in_.peek();
    if (byte == 'n' || byte == 'N') {
      const std::string word = co_await read_value(in_, kMostNameBytes);
      if (word != "null") co_return false;
      early_ = "{}";
    } else if (byte == '"') {
      const std::string written = co_await read_string();
      if (written.empty()) co_return has_begun_;
    } else if (byte == '{') {
      if (!name_.empty()) begin();
      const ArgumentsTarget target{context_, early_, has_begun_};
      const ArgumentsEnd end =
          co_await read_arguments_object(target, closes_, !opening_.key_is_name);
      if (!end.is_read) co_return false;
    } else {
      co_return false;
    }
    has_arguments_ = true;
    if (!name_.empty() && !has_begun_) begin();
    co_return true;
  }

  /// Arguments as a string: opened if it holds an object. It comes whole.
  Task<std::string> read_string() {
    if (!name_.empty()) begin();
    ValueTransducer value(ValueStyle::kJson);
    std::string out;
    while (true) {
      const int byte = co_await in_.peek();
      if (byte == TextInput::kNone) break;
      const Status status = value.step(static_cast<char>(byte), out);
      if (status == Status::kUnexpected) break;
      in_.skip();
      if (status == Status::kDone) break;
    }
    const bool is_whole = value.is_complete();
    value.end(out);
    std::string text =
        unescaped_json(is_whole ? json_string_body(out) : std::string_view(out).substr(1));
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) text = "{}";
    const bool is_object = first != std::string::npos && text[first] == '{';
    if (!is_object && first != std::string::npos) text = out;
    ArgumentsTarget{context_, early_, has_begun_}.put(text);
    co_return is_whole ? out : std::string();
  }

  void begin() {
    if (has_begun_) return;
    is_direct_answer_ = name_ == kDirectAnswer && !context_.tools.has(name_);
    if (is_direct_answer_) return;
    context_.begin_call(name_, id_, opening_.id_stands_behind && id_.empty());
    has_begun_ = true;
    context_.sink.arguments(early_);
    early_.clear();
  }

  bool finish() {
    if (name_.empty() || (!has_arguments_ && context_.only_offered)) return has_begun_;
    if (!has_begun_ && !has_arguments_) early_ = "{}";
    begin();
    if (has_begun_) context_.end_call();
    return has_begun_ || is_direct_answer_;
  }

  CallContext& context_;
  const CallOpening& opening_;
  const std::vector<std::string>& closes_;
  TextInput& in_;
  std::string name_;
  std::string id_;
  std::string early_;
  bool has_begun_ = false;
  bool has_arguments_ = false;
  bool is_direct_answer_ = false;
  std::size_t num_nested_ = 0;
};

/// Past stray brackets if a closing mark or the end follows, else nowhere.
Task<bool> skip_stray(CallContext& context, const std::vector<std::string>& closes) {
  const TextInput::Keep keep(context.in);
  const std::size_t begin = context.in.position();
  int byte = co_await context.in.peek();
  while (byte == '}' || byte == ']' || is_space(byte)) {
    context.in.skip();
    byte = co_await context.in.peek();
  }
  if (byte == TextInput::kNone) co_return true;
  const std::size_t end = context.in.position();
  const int close = co_await match_mark(context.in, closes);
  context.in.rewind(close >= 0 ? end : begin);
  co_return close >= 0;
}

/// Past what ends a section of calls, as far as it is there.
Task<bool> end_section(CallContext& context, const std::vector<std::string>& closes, bool is_list) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  std::size_t end = in.position();
  int byte = co_await skip_space(in);
  if (is_list && byte == ']') {
    in.skip();
    end = in.position();
    byte = co_await skip_space(in);
  }
  in.rewind(end);
  if (closes.empty()) co_return true;
  co_await skip_stray(context, closes);
  byte = co_await skip_space(in);
  const int close = co_await match_mark(in, closes);
  if (close < 0 && byte != TextInput::kNone) in.rewind(end);
  co_return close >= 0;
}

/// Past the comma or semicolon and the white space before another object; else false, and the
/// position means nothing.
Task<bool> skip_separator(TextInput& in) {
  int byte = co_await skip_space(in);
  if (byte == ',' || byte == ';') {
    in.skip();
    byte = co_await skip_space(in);
  }
  co_return byte == '{';
}

}  // namespace

Task<bool> read_json_calls(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  bool has_call = false;
  bool is_fenced = false;
  int byte = co_await skip_space(in);
  if (opening.may_be_fenced && byte == '`') {
    is_fenced = (co_await match_mark(in, kJsonFences)) >= 0;
    byte = co_await skip_space(in);
  }
  const std::vector<std::string>& closes = is_fenced ? kFence : opening.closes;
  const bool is_list = byte == '[';
  if (is_list) in.skip();
  std::size_t end = in.position();  // behind the last call
  while (true) {
    bool is_next = false;
    if (has_call) {
      is_next = co_await skip_separator(in);
    } else {
      byte = co_await skip_space(in);
      is_next = byte == '{';
    }
    if (!is_next) break;
    const std::size_t begin = in.position();
    CallObject object(context, opening, closes);
    const bool is_call = co_await object.read();
    if (!is_call) {
      in.rewind(begin);
      co_return has_call;
    }
    has_call = true;
    end = in.position();
  }
  if (!has_call) co_return false;
  in.rewind(end);
  co_await end_section(context, closes, is_list);
  co_return true;
}

}  // namespace vernal
