#include "openai_http/responses/response_answer.hpp"

#include <boost/json.hpp>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/event_stream.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/responses/response_output.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

using Kind = OutputItem::Kind;

Kind kind_of(std::uint32_t channel) {
  switch (channel) {
    case VERNAL_CHANNEL_REASONING:
      return Kind::kReasoning;
    case VERNAL_CHANNEL_TOOL_NAME:
    case VERNAL_CHANNEL_TOOL_ARGUMENTS:
      return Kind::kCall;
    default:
      return Kind::kMessage;
  }
}

std::string_view id_prefix(Kind kind) {
  if (kind == Kind::kReasoning) return "rs_";
  return kind == Kind::kCall ? "fc_" : "msg_";
}

/// Why a response is not whole; empty: it is.
std::string_view incomplete_reason(std::uint32_t finish_reason) {
  if (finish_reason == VERNAL_FINISH_LENGTH) return "max_output_tokens";
  return finish_reason == VERNAL_FINISH_CONTENT_FILTER ? "content_filter" : "";
}

/// Puts items together. At most one is open, the last: what the model writes comes in a row.
class ResponseAnswer : public Answer {
 public:
  ResponseAnswer(const ResponseRequest& request, AnswerIdentity identity, KeepResponse keep)
      : identity_(std::move(identity)),
        settings_(request.settings),
        keep_(std::move(keep)),
        num_alternatives_(request.generation.num_alternatives),
        wants_logprobs_(request.generation.wants_logprobs),
        usage_(1) {}

  void begin(std::string&) override { add_warnings(settings_); }

  void on_event(std::size_t, const vernal_event& event, std::string& out) override {
    if (event.type == VERNAL_EVENT_DELTA) {
      add_delta(event, out);
    } else if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
      finish(event.finish_reason, out);
    } else if (event.type == VERNAL_EVENT_FINISHED) {
      usage_.add(event);
    }
  }

 protected:
  // What happens to the item of number `index`, the last one.
  virtual void on_begin_item(const OutputItem& item, std::size_t index, std::string& out) = 0;
  virtual void on_text(const OutputItem& item, std::size_t index, std::string_view text,
                       json::array logprobs, std::string& out) = 0;
  virtual void on_end_item(const OutputItem& item, std::size_t index, std::string& out) = 0;

  json::array output_items() const {
    json::array out;
    for (const OutputItem& item : items_) out.push_back(item_object(item));
    return out;
  }

  /// The response object in progress.
  json::object response() const {
    json::object out{
        {"id", identity_.id},      {"object", "response"}, {"created_at", identity_.created},
        {"status", "in_progress"}, {"error", nullptr},     {"incomplete_details", nullptr},
        {"model", identity_.model}};
    out["output"] = json::array();
    out["usage"] = nullptr;
    for (const auto& [key, value] : settings_) out[key] = value;
    return out;
  }

  /// The whole one, which is also kept.
  json::object final_response() {
    json::object out = response();
    const bool is_whole = incomplete_reason_.empty();
    out["status"] = is_whole ? "completed" : "incomplete";
    if (is_whole) {
      out["completed_at"] = static_cast<std::int64_t>(std::time(nullptr));
    } else {
      out["incomplete_details"] = json::object{{"reason", incomplete_reason_}};
    }
    json::array items = output_items();
    const std::string stored_items = keep_ ? to_text(items) : std::string();
    out["output"] = std::move(items);
    out["usage"] = usage_.to_response_json();
    out["timings"] = usage_.timings();
    if (keep_) keep_(to_text(out), stored_items);
    return out;
  }

  /// An answer without a word is an empty message.
  void ensure_an_item(std::string& out) {
    if (items_.empty()) begin_item(Kind::kMessage, out);
    end_item(out);
  }

  /// What is open will not be finished, and no event says so.
  void break_off() {
    if (is_open()) items_.back().status = "incomplete";
  }

  bool is_whole() const noexcept { return incomplete_reason_.empty(); }

 private:
  bool is_open() const noexcept { return !items_.empty() && items_.back().status == "in_progress"; }

  OutputItem& begin_item(Kind kind, std::string& out) {
    end_item(out);
    items_.push_back({.kind = kind, .id = make_id(id_prefix(kind))});
    if (kind != Kind::kCall) on_begin_item(items_.back(), items_.size() - 1, out);
    return items_.back();
  }

  void begin_call(const vernal_event& event, std::string& out) {
    OutputItem& item = begin_item(Kind::kCall, out);
    const std::string_view call_id = view(event.call_id);
    item.call_id = call_id.empty() ? make_id("call_") : std::string(call_id);
    item.name = view(event.text);
    on_begin_item(item, items_.size() - 1, out);
  }

  void end_item(std::string& out) {
    if (!is_open()) return;
    items_.back().status = is_whole() ? "completed" : "incomplete";
    on_end_item(items_.back(), items_.size() - 1, out);
  }

  void add_delta(const vernal_event& event, std::string& out) {
    if (event.channel == VERNAL_CHANNEL_TOOL_NAME) return begin_call(event, out);
    const Kind kind = kind_of(event.channel);
    const bool fits = is_open() && items_.back().kind == kind;
    // Text that is held back comes as an empty delta, which begins nothing. Arguments follow a name.
    if (!fits && (event.text.size == 0 || kind == Kind::kCall)) return;
    OutputItem& item = fits ? items_.back() : begin_item(kind, out);
    json::array logprobs;
    if (wants_logprobs_ && kind == Kind::kMessage) {
      logprobs = chat_logprobs(event, num_alternatives_);
    }
    if (event.text.size == 0 && logprobs.empty()) return;
    item.text += view(event.text);
    for (const json::value& position : logprobs) item.logprobs.push_back(position);
    on_text(item, items_.size() - 1, view(event.text), std::move(logprobs), out);
  }

  void finish(std::uint32_t reason, std::string& out) {
    incomplete_reason_ = incomplete_reason(reason);
    end_item(out);
  }

  AnswerIdentity identity_;
  json::object settings_;
  KeepResponse keep_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  Usage usage_;
  std::vector<OutputItem> items_;
  std::string_view incomplete_reason_;
};

class ResponseDocument final : public ResponseAnswer {
 public:
  using ResponseAnswer::ResponseAnswer;

  void keep_alive(std::string&) override {}
  void end(std::string& out) override {
    ensure_an_item(out);
    out += to_text(final_response());
  }
  void fail(const ApiError&, std::string&) override {}

 private:
  void on_begin_item(const OutputItem&, std::size_t, std::string&) override {}
  void on_text(const OutputItem&, std::size_t, std::string_view, json::array,
               std::string&) override {}
  void on_end_item(const OutputItem&, std::size_t, std::string&) override {}
};

/// Events in the order that clients check: each item is added before its parts, and done after them.
class ResponseStream final : public ResponseAnswer {
 public:
  using ResponseAnswer::ResponseAnswer;

  void begin(std::string& out) override {
    ResponseAnswer::begin(out);
    append(out, "response.created", {{"response", response()}});
    append(out, "response.in_progress", {{"response", response()}});
  }

  void keep_alive(std::string& out) override {
    append(out, "response.in_progress", {{"response", response()}});
  }

  void end(std::string& out) override {
    ensure_an_item(out);
    append(out, is_whole() ? "response.completed" : "response.incomplete",
           {{"response", final_response()}});
  }

  void fail(const ApiError& error, std::string& out) override {
    break_off();
    json::object failed = response();
    failed["status"] = "failed";
    failed["output"] = output_items();
    failed["error"] =
        json::object{{"code", error.code == "internal_error" ? "server_error" : error.code},
                     {"message", error.message}};
    append(out, "response.failed", {{"response", std::move(failed)}});
  }

 private:
  void append(std::string& out, std::string_view type, json::object&& members) {
    json::object event{{"type", type}, {"sequence_number", num_events_++}};
    for (auto& [key, value] : members) event[key] = std::move(value);
    append_typed_event(out, event);
  }

  /// An event about an item, or about its content part, of which there is one.
  void append_of_item(std::string& out, std::string_view type, const OutputItem& item,
                      std::size_t index, json::object members) {
    members["item_id"] = item.id;
    members["output_index"] = index;
    if (item.kind != Kind::kCall) members["content_index"] = 0;
    append(out, type, std::move(members));
  }

  void on_begin_item(const OutputItem& item, std::size_t index, std::string& out) override {
    append(out, "response.output_item.added",
           {{"output_index", index}, {"item", item_object(item)}});
    if (item.kind == Kind::kCall) return;
    append_of_item(out, "response.content_part.added", item, index,
                   {{"part", part_object(item, true)}});
  }

  void on_text(const OutputItem& item, std::size_t index, std::string_view text,
               json::array logprobs, std::string& out) override {
    json::object members{{"delta", text}};
    if (item.kind == Kind::kMessage) members["logprobs"] = std::move(logprobs);
    append_of_item(out, delta_event(item.kind), item, index, std::move(members));
  }

  void on_end_item(const OutputItem& item, std::size_t index, std::string& out) override {
    if (item.kind == Kind::kCall) {
      append_of_item(out, "response.function_call_arguments.done", item, index,
                     {{"name", item.name}, {"arguments", item.text}});
    } else {
      json::object members{{"text", item.text}};
      const bool is_message = item.kind == Kind::kMessage;
      if (is_message) members["logprobs"] = item.logprobs;
      append_of_item(out, is_message ? "response.output_text.done" : "response.reasoning_text.done",
                     item, index, std::move(members));
      append_of_item(out, "response.content_part.done", item, index, {{"part", part_object(item)}});
    }
    append(out, "response.output_item.done",
           {{"output_index", index}, {"item", item_object(item)}});
  }

  static std::string_view delta_event(Kind kind) {
    if (kind == Kind::kReasoning) return "response.reasoning_text.delta";
    return kind == Kind::kCall ? "response.function_call_arguments.delta"
                               : "response.output_text.delta";
  }

  std::uint64_t num_events_ = 0;
};

}  // namespace

std::unique_ptr<Answer> make_response_answer(const ResponseRequest& request,
                                             AnswerIdentity identity, KeepResponse keep) {
  if (request.generation.is_streamed) {
    return std::make_unique<ResponseStream>(request, std::move(identity), std::move(keep));
  }
  return std::make_unique<ResponseDocument>(request, std::move(identity), std::move(keep));
}

}  // namespace vernal::openai_http
