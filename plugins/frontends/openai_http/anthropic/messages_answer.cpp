#include "openai_http/anthropic/messages_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "openai_http/protocol/event_stream.hpp"
#include "openai_http/protocol/exact_json.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// Clients keep a thinking block only if it is signed, and send it back as it is. Nothing here is
/// checked by it.
constexpr std::string_view kSignature = "dmVybmFs";

enum class BlockKind { kNone, kThinking, kText, kToolUse };

BlockKind kind_of(const vernal_event& delta) {
  switch (delta.channel) {
    case VERNAL_CHANNEL_REASONING:
      return BlockKind::kThinking;
    case VERNAL_CHANNEL_TOOL_NAME:
    case VERNAL_CHANNEL_TOOL_ARGUMENTS:
      return BlockKind::kToolUse;
    default:
      return BlockKind::kText;
  }
}

/// Whether a delta begins a block behind one of this kind.
bool begins_block(const vernal_event& delta, BlockKind open) {
  return delta.channel == VERNAL_CHANNEL_TOOL_NAME || kind_of(delta) != open;
}

/// The ids of calls come from the engine, which finds them again in the history.
std::string id_of_call(const vernal_event& delta) {
  const std::string_view id = view(delta.call_id);
  return id.empty() ? make_id("toolu_") : std::string(id);
}

std::string_view stop_reason_of(std::uint32_t finish_reason) {
  switch (finish_reason) {
    case VERNAL_FINISH_STOP_STRING:
      return "stop_sequence";
    case VERNAL_FINISH_TOOL_CALLS:
      return "tool_use";
    case VERNAL_FINISH_LENGTH:
      return "max_tokens";
    case VERNAL_FINISH_CONTENT_FILTER:
      return "refusal";
    default:
      return "end_turn";
  }
}

/// How an answer ended and what it cost.
struct Ending {
  std::string_view stop_reason = "end_turn";
  std::string stop_sequence;
  json::object usage;

  void add(const vernal_event& event) {
    if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
      stop_reason = stop_reason_of(event.finish_reason);
      const bool is_by_text = event.finish_reason == VERNAL_FINISH_STOP_STRING;
      stop_sequence = is_by_text ? view(event.text) : std::string_view();
    } else if (event.type == VERNAL_EVENT_FINISHED) {
      usage = usage_of(event.prompt_tokens, std::min(event.cached_tokens, event.prompt_tokens),
                       event.completion_tokens);
      usage["output_tokens_details"] = {{"thinking_tokens", event.reasoning_tokens}};
    }
  }

  /// Cached tokens are no part of input_tokens; both together are the prompt.
  static json::object usage_of(std::uint64_t prompt, std::uint64_t cached,
                               std::uint64_t generated) {
    return {{"input_tokens", prompt - cached},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", cached},
            {"output_tokens", generated}};
  }

  void write_to(json::object& out) const {
    out["stop_reason"] = stop_reason;
    out["stop_sequence"] = stop_reason == "stop_sequence" ? json::value(stop_sequence) : nullptr;
  }
};

json::object message_of(const AnswerIdentity& identity, json::array content) {
  return {{"id", identity.id},
          {"type", "message"},
          {"role", "assistant"},
          {"model", identity.model},
          {"content", std::move(content)}};
}

class MessageStream final : public Answer {
 public:
  MessageStream(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)), hides_thinking_(request.hides_thinking) {}

  /// How much of the prompt is cached is not known yet; message_delta says it.
  void begin(std::string& out) override {
    json::object message = message_of(identity_, {});
    message["stop_reason"] = nullptr;
    message["stop_sequence"] = nullptr;
    message["usage"] = Ending::usage_of(prompt_tokens(), 0, 0);
    add_warnings(message);
    append_typed_event(out, {{"type", "message_start"}, {"message", std::move(message)}});
    keep_alive(out);
  }

  void on_event(std::size_t, const vernal_event& event, std::string& out) override {
    if (event.type == VERNAL_EVENT_DELTA) {
      append_delta(event, out);
    } else {
      ending_.add(event);
    }
  }

  void keep_alive(std::string& out) override { append_typed_event(out, {{"type", "ping"}}); }

  void end(std::string& out) override {
    close_block(out);
    json::object delta;
    ending_.write_to(delta);
    append_typed_event(out, {{"type", "message_delta"},
                             {"delta", std::move(delta)},
                             {"usage", std::move(ending_.usage)}});
    append_typed_event(out, {{"type", "message_stop"}});
  }

  void fail(const ApiError& error, std::string& out) override {
    out += fmt::format("event: error\ndata: {}\n\n", render_error(error, Dialect::kAnthropic, {}));
  }

 private:
  void append_delta(const vernal_event& event, std::string& out) {
    if (event.text.size == 0) return;
    if (begins_block(event, open_)) open_block(event, out);
    const std::string_view text = view(event.text);
    if (event.channel == VERNAL_CHANNEL_REASONING) {
      if (!hides_thinking_) append_piece({{"type", "thinking_delta"}, {"thinking", text}}, out);
    } else if (event.channel == VERNAL_CHANNEL_TOOL_ARGUMENTS) {
      append_piece({{"type", "input_json_delta"}, {"partial_json", text}}, out);
    } else if (event.channel != VERNAL_CHANNEL_TOOL_NAME) {
      append_piece({{"type", "text_delta"}, {"text", text}}, out);
    }
  }

  void open_block(const vernal_event& event, std::string& out) {
    close_block(out);
    open_ = kind_of(event);
    json::object block;
    if (open_ == BlockKind::kThinking) {
      block = {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
    } else if (open_ == BlockKind::kToolUse) {
      block = {{"type", "tool_use"},
               {"id", id_of_call(event)},
               {"name", view(event.text)},
               {"input", json::object()}};
    } else {
      block = {{"type", "text"}, {"text", ""}};
    }
    append_typed_event(
        out,
        {{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(block)}});
  }

  void append_piece(json::object delta, std::string& out) {
    append_typed_event(
        out, {{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
  }

  void close_block(std::string& out) {
    if (open_ == BlockKind::kNone) return;
    if (open_ == BlockKind::kThinking) {
      append_piece({{"type", "signature_delta"}, {"signature", kSignature}}, out);
    }
    append_typed_event(out, {{"type", "content_block_stop"}, {"index", index_}});
    open_ = BlockKind::kNone;
    ++index_;
  }

  AnswerIdentity identity_;
  bool hides_thinking_;
  BlockKind open_ = BlockKind::kNone;
  std::uint64_t index_ = 0;  // of the block that is open, or of the next one
  Ending ending_;
};

/// The input of a call: the object that its arguments are, with the digits that the model wrote. A
/// text that is none, such as one that was cut by a limit, stands in a member of its own.
json::object input_of(std::string_view arguments) {
  constexpr std::size_t kMaxInputDepth = 128;
  if (arguments.empty()) return {};
  // Numbers keep their digits below a member of this name.
  const std::string document = fmt::format("{{\"input\":{}}}", arguments);
  ParsedJson parsed = parse_exact_json(document, kMaxInputDepth, {});
  const bool is_whole = !parsed.error && parsed.num_bytes == document.size();
  json::object* const members = is_whole ? parsed.value.if_object() : nullptr;
  if (members != nullptr && members->size() == 1) {
    if (json::object* const input = members->begin()->value().if_object()) return std::move(*input);
  }
  return {{"INVALID_JSON", arguments}};
}

class MessageDocument final : public Answer {
 public:
  MessageDocument(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)), hides_thinking_(request.hides_thinking) {}

  void begin(std::string&) override {}

  void on_event(std::size_t, const vernal_event& event, std::string&) override {
    if (event.type == VERNAL_EVENT_DELTA) {
      add_delta(event);
    } else {
      ending_.add(event);
    }
  }

  void keep_alive(std::string&) override {}

  void end(std::string& out) override {
    json::array content;
    for (const Block& block : blocks_) content.push_back(to_json(block));
    json::object message = message_of(identity_, std::move(content));
    ending_.write_to(message);
    message["usage"] = std::move(ending_.usage);
    add_warnings(message);
    out += to_text(message);
  }

  void fail(const ApiError&, std::string&) override {}

 private:
  struct Block {
    BlockKind kind;
    std::string text;  // of a call: its arguments
    std::string id;
    std::string name;
  };

  void add_delta(const vernal_event& event) {
    if (event.text.size == 0) return;
    const BlockKind open = blocks_.empty() ? BlockKind::kNone : blocks_.back().kind;
    if (begins_block(event, open)) blocks_.push_back({kind_of(event), {}, {}, {}});
    Block& block = blocks_.back();
    if (event.channel == VERNAL_CHANNEL_TOOL_NAME) {
      block.id = id_of_call(event);
      block.name = view(event.text);
    } else {
      block.text += view(event.text);
    }
  }

  json::object to_json(const Block& block) const {
    if (block.kind == BlockKind::kThinking) {
      return {{"type", "thinking"},
              {"thinking", hides_thinking_ ? std::string_view() : block.text},
              {"signature", kSignature}};
    }
    if (block.kind == BlockKind::kToolUse) {
      return {{"type", "tool_use"},
              {"id", block.id},
              {"name", block.name},
              {"input", input_of(block.text)}};
    }
    return {{"type", "text"}, {"text", block.text}};
  }

  AnswerIdentity identity_;
  bool hides_thinking_;
  std::vector<Block> blocks_;
  Ending ending_;
};

}  // namespace

std::unique_ptr<Answer> make_messages_answer(const GenerationRequest& request,
                                             AnswerIdentity identity) {
  if (request.is_streamed) return std::make_unique<MessageStream>(request, std::move(identity));
  return std::make_unique<MessageDocument>(request, std::move(identity));
}

}  // namespace vernal::openai_http
