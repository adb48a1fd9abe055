// Calls as Python writes them, calls with marked strings, and code for an interpreter.
#include <array>

#include "text/answer/call_arguments.hpp"
#include "text/answer/call_context.hpp"
#include "text/answer/values/json_text.hpp"
#include "text/answer/values/value_transducer.hpp"

namespace vernal {
namespace {

using Status = ValueTransducer::Status;

constexpr std::string_view kCallWord = "call:";
// What an interpreter is called by those who offer one.
constexpr std::array<std::string_view, 3> kInterpreters = {"python", "ipython", "code_interpreter"};

bool is_identifier_byte(int byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
}

/// A name of letters, digits and the like; "" if it is too long.
Task<std::string> read_identifier(TextInput& in) {
  std::string name;
  int byte = co_await in.peek();
  while (is_identifier_byte(byte)) {
    if (name.size() >= kMostNameBytes) co_return std::string();
    name += static_cast<char>(byte);
    in.skip();
    byte = co_await in.peek();
  }
  co_return name;
}

/// Reads N(k=v, ...).
class FunctionCall {
 public:
  FunctionCall(CallContext& context, std::string_view suffix)
      : context_(context), suffix_(suffix), in_(context.in) {}

  /// At the name. False: it is no call.
  Task<bool> read() {
    std::string name = co_await read_identifier(in_);
    if (!suffix_.empty()) {
      if (!name.ends_with(suffix_)) co_return false;
      name.resize(name.size() - suffix_.size());
    }
    int byte = co_await in_.peek();
    if (byte != '(' || !context_.may_call(name)) co_return false;
    in_.skip();
    byte = co_await skip_space(in_);
    std::string key;
    if (byte != ')') {
      key = co_await read_key();
      if (key.empty()) co_return false;
    }
    context_.begin_call(name);
    context_.sink.arguments("{");
    co_await read_arguments_behind(std::move(key));
    context_.end_call();
    co_return true;
  }

 private:
  /// "k=", the key of it.
  Task<std::string> read_key() {
    co_await skip_space(in_);
    std::string key = co_await read_identifier(in_);
    const int byte = co_await skip_space(in_);
    if (byte != '=') co_return std::string();
    in_.skip();
    co_return key;
  }

  /// From behind the first key to behind the closing parenthesis.
  Task<bool> read_arguments_behind(std::string key) {
    bool is_first = true;
    while (!key.empty()) {
      context_.sink.arguments(is_first ? "" : ",");
      is_first = false;
      const bool is_whole = co_await read_value(key);
      if (!is_whole) co_return false;
      const int byte = co_await skip_space(in_);
      if (byte == ',') {
        in_.skip();
        key = co_await read_key();
      } else {
        key.clear();
      }
    }
    const int byte = co_await skip_space(in_);
    if (byte == ')') in_.skip();
    if (byte != TextInput::kNone || in_.has_stopped()) context_.sink.arguments("}");
    co_return true;
  }

  /// A value with its key before it. A string is handed out as it comes, others whole. False: the
  /// text ended in it.
  Task<bool> read_value(const std::string& key) {
    ValueTransducer value(ValueStyle::kPython);
    std::string out = json_string(key) + ":";
    const int first = co_await skip_space(in_);
    const bool is_string = first == '"' || first == '\'';
    while (true) {
      const int byte = co_await in_.peek();
      if (byte == TextInput::kNone) {
        if (!is_string && !value.is_complete()) co_return false;
        value.end(out);
        context_.sink.arguments(out);
        co_return value.is_complete();
      }
      const Status status = value.step(static_cast<char>(byte), out);
      const bool is_ended = status != Status::kMore && value.is_complete();
      if (is_ended || (is_string && status == Status::kMore)) {
        context_.sink.arguments(out);
        out.clear();
      }
      if (status == Status::kDone) in_.skip();
      if (is_ended) co_return true;
      if (status == Status::kUnexpected) {
        co_await read_unknown(std::move(out), key);
        co_return true;
      }
      in_.skip();
    }
  }

  /// What is no value is text, up to the next comma or parenthesis.
  Task<bool> read_unknown(std::string written, const std::string& key) {
    ++context_.num_broken;
    std::string text = written.substr(json_string(key).size() + 1);
    int byte = co_await in_.peek();
    while (byte != TextInput::kNone && byte != ',' && byte != ')') {
      text += static_cast<char>(byte);
      in_.skip();
      byte = co_await in_.peek();
    }
    context_.sink.arguments(json_string(key) + ":" + json_string(text));
    co_return true;
  }

  CallContext& context_;
  std::string_view suffix_;
  TextInput& in_;
};

/// Behind "call:" of a call with marked strings.
Task<bool> read_marked_call(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const std::vector<std::string> words = {std::string(kCallWord)};
  co_await skip_space(in);
  if ((co_await match_mark(in, words)) < 0) co_return false;
  const std::string name = co_await read_until(context, {}, kMostNameBytes, true);
  if (!context.may_call(name)) co_return false;
  context.begin_call(name);
  ValueTransducer value(ValueStyle::kMarked, opening.string_mark);
  std::string out;
  while (true) {
    const int byte = co_await in.peek();
    if (byte == TextInput::kNone) {
      const bool is_closed = in.has_stopped() && value.is_at_boundary();
      value.end(out);
      context.sink.arguments(is_closed ? out + value.closers() : out);
      break;
    }
    const Status status = value.step(static_cast<char>(byte), out);
    context.sink.arguments(out);
    out.clear();
    if (status == Status::kUnexpected) {
      ++context.num_broken;
      if (value.is_at_boundary()) context.sink.arguments(value.closers());
      break;
    }
    in.skip();
    if (status == Status::kDone) break;
  }
  context.end_call();
  co_return true;
}

Task<bool> skip_close(TextInput& in, const std::vector<std::string>& closes) {
  const TextInput::Keep keep(in);
  const std::size_t end = in.position();
  co_await skip_space(in);
  const int close = co_await match_mark(in, closes);
  if (close < 0) in.rewind(end);
  co_return close >= 0;
}

}  // namespace

Task<bool> read_function_calls(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  const std::size_t start = in.position();
  int byte = co_await skip_space(in);
  const bool is_list = byte == '[';
  if (is_list) {
    in.skip();
    byte = co_await skip_space(in);
  }
  if (byte == '{') {
    in.rewind(start);
    const bool is_call = co_await read_json_calls(context, opening);
    co_return is_call;
  }
  bool has_call = false;
  while (true) {
    const std::size_t begin = in.position();
    FunctionCall call(context, {});
    const bool is_call = co_await call.read();
    if (!is_call) {
      in.rewind(begin);
      co_return has_call;
    }
    has_call = true;
    const std::size_t end = in.position();
    byte = co_await skip_space(in);
    const bool goes_on = byte == ',' && is_list;
    if (goes_on) {
      in.skip();
      co_await skip_space(in);
      continue;
    }
    in.rewind(byte == ']' && is_list ? in.position() : end);
    if (byte == ']' && is_list) in.skip();
    co_await skip_close(in, opening.closes);
    co_return true;
  }
}

Task<bool> read_marked_calls(CallContext& context, const CallOpening& opening) {
  const bool is_call = co_await read_marked_call(context, opening);
  if (!is_call) co_return false;
  co_await skip_close(context.in, opening.closes);
  co_return true;
}

Task<bool> read_code_call(CallContext& context, const CallOpening& opening) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  const std::size_t begin = in.position();
  const int byte = co_await skip_space(in);
  bool is_call = false;
  if (byte == '{' || byte == '[') {
    is_call = co_await read_json_calls(context, opening);
  } else {
    FunctionCall call(context, ".call");
    is_call = co_await call.read();
  }
  if (is_call) co_return true;
  in.rewind(begin);
  for (const std::string_view name : kInterpreters) {
    if (!context.tools.has(name) || context.tools.only_parameter(name).empty()) continue;
    context.begin_call(name);
    co_await read_code(context, name, opening.closes);
    context.end_call();
    co_return true;
  }
  co_return false;
}

}  // namespace vernal
