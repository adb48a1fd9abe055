// Answers in channels: messages with a header each, as gpt-oss writes them.
#include <array>

#include "text/answer/call_arguments.hpp"
#include "text/answer/call_context.hpp"

namespace vernal {
namespace {

constexpr std::string_view kChannelMark = "<|channel|>";
constexpr std::string_view kRecipientWord = "to=";
constexpr std::size_t kMostHeaderBytes = 1024;
const std::vector<std::string> kMessageMark = {"<|message|>"};
const std::vector<std::string> kEnds = {"<|end|>", "<|return|>", "<|call|>", "<|start|>"};
constexpr std::size_t kStartMark = 3;
const std::vector<std::string> kHeads = {"<|channel|>", "<|start|>", " to=", "to="};

struct ChannelHeader {
  std::string channel;
  std::string recipient;
};

std::string_view word_at(std::string_view text) {
  return text.substr(0, text.find_first_of(" <\t\r\n"));
}

ChannelHeader parse_header(std::string_view text) {
  ChannelHeader header;
  if (const std::size_t at = text.find(kRecipientWord); at != std::string_view::npos) {
    header.recipient = word_at(text.substr(at + kRecipientWord.size()));
  }
  if (const std::size_t at = text.find(kChannelMark); at != std::string_view::npos) {
    header.channel = word_at(text.substr(at + kChannelMark.size()));
  }
  return header;
}

/// A message's text, as reasoning or content.
Task<bool> read_text(CallContext& context, bool is_reasoning) {
  const TextInput::Keep keep(context.in);
  std::array<bool, 256> special{};
  special['<'] = true;
  context.is_thinking = is_reasoning;
  while (true) {
    std::string_view run = context.in.take_run(special);
    const std::size_t begin = context.in.position();
    if (run.empty()) {
      const int byte = co_await context.in.peek();
      if (byte == TextInput::kNone) break;
      if (byte != '<') continue;
      const int end = co_await match_mark(context.in, kEnds);
      context.in.rewind(begin);
      if (end >= 0) break;
      context.in.skip();
      run = context.in.since(begin);
    }
    if (is_reasoning) {
      context.sink.reasoning(run);
    } else {
      context.sink.content(run);
    }
  }
  context.is_thinking = false;
  if (is_reasoning) context.sink.end_reasoning();
  co_return true;
}

/// The body of a message to a function. False: it is no call.
Task<bool> read_call_body(CallContext& context, const std::string& recipient) {
  TextInput& in = context.in;
  const TextInput::Keep keep(in);
  const std::string_view name = bare_name(recipient);
  const bool is_offered = context.tools.has(name);
  const bool is_function = name != recipient;
  if (context.tools.empty() || (!is_offered && !is_function)) co_return false;
  if (!context.may_call(name)) co_return false;
  const std::size_t begin = in.position();
  const int byte = co_await skip_space(in);
  const bool is_code = byte != '{' && byte != TextInput::kNone && byte != '<' &&
                       !context.tools.only_parameter(name).empty();
  if (is_code) in.rewind(begin);
  context.begin_call(name);
  if (is_code) {
    co_await read_code(context, name, kEnds);
  } else if (byte == '<' || byte == TextInput::kNone) {
    if (byte == '<' || in.has_stopped()) context.sink.arguments("{}");
  } else {
    co_await read_arguments(context, kEnds, false);
  }
  context.end_call();
  co_return true;
}

/// A message from its header to before the mark that ends it. False: there is no header.
Task<bool> read_message(CallContext& context) {
  TextInput& in = context.in;
  const std::string text = co_await read_until(context, kMessageMark, kMostHeaderBytes, false);
  const int mark = co_await match_mark(in, kMessageMark);
  if (mark < 0) co_return false;
  const ChannelHeader header = parse_header(text);
  if (!header.recipient.empty()) {
    const bool is_call = co_await read_call_body(context, header.recipient);
    if (is_call) co_return true;
  }
  const bool is_reasoning = header.channel == "analysis";
  if (!is_reasoning) context.sink.begin_content_part();
  co_await read_text(context, is_reasoning);
  co_return true;
}

}  // namespace

Task<bool> read_channels(CallContext& context) {
  TextInput& in = context.in;
  while (true) {
    const TextInput::Keep keep(in);
    const std::size_t begin = in.position();
    const int byte = co_await in.peek();
    if (byte == TextInput::kNone) co_return true;
    const int head = co_await match_mark(in, kHeads);
    in.rewind(begin);
    bool is_message = head >= 0;
    if (is_message) is_message = co_await read_message(context);
    if (!is_message) {
      in.rewind(begin);
      // What is no message is content; a mark that begins none must not be met again.
      if (head >= 0) {
        in.skip();
        context.sink.content(in.since(begin));
      }
      co_await read_text(context, false);
    }
    const int end = co_await match_mark(in, kEnds);
    if (end == static_cast<int>(kStartMark)) in.rewind(in.position() - kEnds[kStartMark].size());
  }
}

}  // namespace vernal
