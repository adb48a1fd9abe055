#include "text/answer/call_arguments.hpp"

#include "text/answer/values/json_text.hpp"
#include "text/answer/values/value_transducer.hpp"

namespace vernal {
namespace {

using Status = ValueTransducer::Status;

/// Raw text up to a closing mark: what is left of arguments that do not parse.
Task<bool> read_broken(CallContext& context, const std::vector<std::string>& closes,
                       bool has_wrapper) {
  const TextInput::Keep keep(context.in);
  ++context.num_broken;
  std::string held;  // white space, with the wrapper's brace in it
  bool holds_brace = false;
  while (true) {
    const int byte = co_await context.in.peek();
    if (byte == TextInput::kNone) break;
    const std::size_t begin = context.in.position();
    if (!is_space(byte) && byte != '}') {
      const int close = co_await match_mark(context.in, closes);
      if (close >= 0) {
        context.in.rewind(begin);
        co_return true;
      }
    }
    const bool is_brace = byte == '}' && has_wrapper;
    const bool is_held = is_space(byte) || (is_brace && !holds_brace);
    if (!is_held) {
      context.sink.arguments(held);
      held.clear();
      holds_brace = false;
    }
    if (is_brace || is_space(byte)) {
      holds_brace |= is_brace;
      held += static_cast<char>(byte);
    } else {
      const char one = static_cast<char>(byte);
      context.sink.arguments({&one, 1});
    }
    context.in.skip();
  }
  if (!context.in.has_stopped()) context.sink.arguments(held);
  co_return true;
}

}  // namespace

void ArgumentsTarget::put(std::string& text) {
  if (has_begun) {
    context.sink.arguments(text);
  } else {
    early += text;
  }
  text.clear();
}

Task<ArgumentsEnd> read_arguments_object(ArgumentsTarget target,
                                         const std::vector<std::string>& closes, bool has_wrapper) {
  TextInput& in = target.context.in;
  const TextInput::Keep keep(in);
  ValueTransducer value(ValueStyle::kJson);
  std::string out;
  while (true) {
    const int byte = co_await in.peek();
    if (byte == TextInput::kNone) {
      const bool is_closed = in.has_stopped() && value.is_at_boundary();
      value.end(out);
      if (is_closed) out += value.closers();
      target.put(out);
      co_return ArgumentsEnd{target.has_begun, false};
    }
    const Status status = value.step(static_cast<char>(byte), out);
    target.put(out);
    if (status == Status::kDone) {
      in.skip();
      co_return ArgumentsEnd{true, true};
    }
    if (status == Status::kMore) {
      in.skip();
      continue;
    }
    if (!target.has_begun) co_return ArgumentsEnd{};
    const std::size_t begin = in.position();
    const int close = co_await match_mark(in, closes);
    in.rewind(begin);
    if (close >= 0 && value.is_at_boundary()) {
      out = value.closers();
      target.put(out);
    } else {
      co_await read_broken(target.context, closes, has_wrapper);
    }
    co_return ArgumentsEnd{true, false};
  }
}

Task<bool> read_arguments(CallContext& context, const std::vector<std::string>& closes,
                          bool has_wrapper) {
  std::string early;
  const ArgumentsTarget target{context, early, true};
  const ArgumentsEnd end = co_await read_arguments_object(target, closes, has_wrapper);
  co_return end.is_whole;
}

Task<bool> read_code(CallContext& context, std::string_view tool,
                     const std::vector<std::string>& closes) {
  const TextInput::Keep keep(context.in);
  context.sink.arguments("{" + json_string(context.tools.only_parameter(tool)) + ":\"");
  std::string out;
  while (true) {
    const int byte = co_await context.in.peek();
    if (byte == TextInput::kNone) {
      if (context.in.has_stopped()) context.sink.arguments("\"}");
      co_return true;
    }
    const std::size_t begin = context.in.position();
    const int close = co_await match_mark(context.in, closes);
    if (close >= 0) {
      context.in.rewind(begin);
      context.sink.arguments("\"}");
      co_return true;
    }
    append_json_byte(static_cast<char>(byte), out);
    context.sink.arguments(out);
    out.clear();
    context.in.skip();
  }
}

}  // namespace vernal
