#include "openai_http/openai/chat_answer.hpp"

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/event_stream.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::string_view kFingerprint = "vernal";

json::object envelope(const AnswerIdentity& identity, std::string_view object) {
  return {{"id", identity.id},
          {"object", object},
          {"created", identity.created},
          {"model", identity.model},
          {"system_fingerprint", kFingerprint}};
}

json::array single(json::object element) {
  json::array array;
  array.push_back(std::move(element));
  return array;
}

/// Ids of calls come from the engine; one that has none gets one here.
std::string call_id_of(const vernal_event& event) {
  const std::string_view id = view(event.call_id);
  return id.empty() ? make_id("call_") : std::string(id);
}

std::string_view reason_name(std::uint32_t reason, bool answers_function_call) {
  const bool is_call = answers_function_call && reason == VERNAL_FINISH_TOOL_CALLS;
  return is_call ? "function_call" : finish_reason_name(reason);
}

class ChatStream final : public Answer {
 public:
  ChatStream(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)),
        num_choices_(request.num_choices),
        num_alternatives_(request.num_alternatives),
        wants_logprobs_(request.wants_logprobs),
        include_usage_(request.include_usage),
        timings_per_token_(request.timings_per_token),
        reports_progress_(request.reports_progress),
        answers_function_call_(request.answers_function_call),
        usage_(request.num_choices) {}

  void begin(std::string& out) override {
    for (std::uint32_t choice = 0; choice < num_choices_; ++choice) {
      append_choice(out, choice, {{"role", "assistant"}, {"content", ""}});
    }
  }

  void on_event(std::size_t, const vernal_event& event, std::string& out) override {
    const bool is_progress =
        event.type == VERNAL_EVENT_STARTED || event.type == VERNAL_EVENT_PROGRESS;
    if (reports_progress_ && is_progress) {
      progress_ = prompt_progress(event);
      append_choice(out, 0, {{"content", ""}});
    } else if (event.type == VERNAL_EVENT_DELTA) {
      if (timings_per_token_) timings_ = timings_so_far(event, num_choices_);
      if (std::exchange(reports_progress_, false)) progress_ = prompt_progress(event);  // all done
      append_delta(event, out);
    } else if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
      json::object choice{
          {"index", event.choice},
          {"delta", json::object()},
          {"finish_reason", reason_name(event.finish_reason, answers_function_call_)}};
      append_chunk(out, single(std::move(choice)));
    } else if (event.type == VERNAL_EVENT_FINISHED) {
      usage_.add(event);
    }
  }

  void keep_alive(std::string& out) override { append_choice(out, 0, {{"content", ""}}); }

  void end(std::string& out) override {
    if (include_usage_) {
      json::object chunk = envelope(identity_, "chat.completion.chunk");
      chunk["choices"] = json::array();
      chunk["usage"] = usage_.to_json();
      chunk["timings"] = usage_.timings();
      append_event(out, chunk);
    }
    append_done(out);
  }

  void fail(const ApiError& error, std::string& out) override {
    out += "data: ";
    out += render_error(error, Dialect::kOpenAi, {});
    out += "\n\n";
  }

 private:
  void append_chunk(std::string& out, json::array choices) {
    json::object chunk = envelope(identity_, "chat.completion.chunk");
    chunk["choices"] = std::move(choices);
    add_warnings(chunk);
    if (include_usage_) chunk["usage"] = nullptr;
    if (!timings_.empty()) chunk["timings"] = std::exchange(timings_, {});
    if (!progress_.empty()) chunk["prompt_progress"] = std::exchange(progress_, {});
    append_event(out, chunk);
  }

  void append_choice(std::string& out, std::uint32_t choice, json::object delta) {
    append_chunk(
        out, single({{"index", choice}, {"delta", std::move(delta)}, {"finish_reason", nullptr}}));
  }

  void append_delta(const vernal_event& event, std::string& out) {
    json::object delta;
    switch (event.channel) {
      case VERNAL_CHANNEL_REASONING:
        delta["reasoning_content"] = view(event.text);
        break;
      case VERNAL_CHANNEL_TOOL_NAME:
      case VERNAL_CHANNEL_TOOL_ARGUMENTS:
        add_call_delta(event, delta);
        break;
      default:
        delta["content"] = view(event.text);
        break;
    }
    const bool has_logprobs = wants_logprobs_ && event.num_logprobs > 0;
    if (event.text.size == 0 && !has_logprobs) return;
    json::object choice{
        {"index", event.choice}, {"delta", std::move(delta)}, {"finish_reason", nullptr}};
    if (has_logprobs) {
      choice["logprobs"] = {{"content", chat_logprobs(event, num_alternatives_)},
                            {"refusal", nullptr}};
    }
    append_chunk(out, single(std::move(choice)));
  }

  void add_call_delta(const vernal_event& event, json::object& delta) const {
    const bool begins = event.channel == VERNAL_CHANNEL_TOOL_NAME;
    json::object function{{"arguments", begins ? "" : view(event.text)}};
    if (begins) function["name"] = view(event.text);
    if (answers_function_call_) {
      delta["function_call"] = std::move(function);
      return;
    }
    json::object call{{"index", event.call_index}};
    if (begins) {
      call["id"] = call_id_of(event);
      call["type"] = "function";
    }
    call["function"] = std::move(function);
    delta["tool_calls"] = single(std::move(call));
  }

  AnswerIdentity identity_;
  std::uint32_t num_choices_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  bool include_usage_;
  bool timings_per_token_;
  bool reports_progress_;
  bool answers_function_call_;
  json::object timings_;   // for the next chunk
  json::object progress_;  // for the next chunk
  Usage usage_;
};

class ChatDocument final : public Answer {
 public:
  ChatDocument(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)),
        num_alternatives_(request.num_alternatives),
        wants_logprobs_(request.wants_logprobs),
        answers_function_call_(request.answers_function_call),
        choices_(request.num_choices),
        usage_(request.num_choices) {}

  void begin(std::string&) override {}

  void on_event(std::size_t, const vernal_event& event, std::string&) override {
    if (event.type == VERNAL_EVENT_FINISHED) usage_.add(event);
    if (event.choice >= choices_.size()) return;
    Choice& choice = choices_[event.choice];
    if (event.type == VERNAL_EVENT_DELTA) add_delta(event, choice);
    if (event.type == VERNAL_EVENT_CHOICE_FINISHED) choice.finish_reason = event.finish_reason;
  }

  void keep_alive(std::string&) override {}

  void end(std::string& out) override {
    json::object document = envelope(identity_, "chat.completion");
    json::array choices;
    for (std::size_t i = 0; i < choices_.size(); ++i) choices.push_back(to_json(i));
    document["choices"] = std::move(choices);
    document["usage"] = usage_.to_json();
    document["timings"] = usage_.timings();
    add_warnings(document);
    out += to_text(document);
  }

  void fail(const ApiError&, std::string&) override {}

 private:
  struct Call {
    std::string id;
    std::string name;
    std::string arguments;
  };
  struct Choice {
    std::string content;
    std::string reasoning;
    std::vector<Call> calls;
    json::array logprobs;
    std::uint32_t finish_reason = VERNAL_FINISH_STOP;
  };

  void add_delta(const vernal_event& event, Choice& choice) const {
    const std::string_view text = view(event.text);
    switch (event.channel) {
      case VERNAL_CHANNEL_REASONING:
        choice.reasoning += text;
        break;
      case VERNAL_CHANNEL_TOOL_NAME:
        choice.calls.push_back({call_id_of(event), std::string(text), {}});
        break;
      case VERNAL_CHANNEL_TOOL_ARGUMENTS:
        if (!choice.calls.empty()) choice.calls.back().arguments += text;
        break;
      default:
        choice.content += text;
        break;
    }
    if (!wants_logprobs_) return;
    for (json::value& position : chat_logprobs(event, num_alternatives_)) {
      choice.logprobs.push_back(std::move(position));
    }
  }

  json::object to_json(std::size_t index) {
    Choice& choice = choices_[index];
    json::object message{{"role", "assistant"}, {"content", choice.content}, {"refusal", nullptr}};
    if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
    if (!choice.calls.empty()) add_calls(choice, message);
    json::object out{{"index", index},
                     {"message", std::move(message)},
                     {"logprobs", nullptr},
                     {"finish_reason", reason_name(choice.finish_reason, answers_function_call_)}};
    if (wants_logprobs_) {
      out["logprobs"] = {{"content", std::move(choice.logprobs)}, {"refusal", nullptr}};
    }
    return out;
  }

  void add_calls(const Choice& choice, json::object& message) const {
    if (choice.content.empty()) message["content"] = nullptr;
    if (answers_function_call_) {
      const Call& call = choice.calls.front();
      message["function_call"] = json::object{{"name", call.name}, {"arguments", call.arguments}};
      return;
    }
    json::array calls;
    for (const Call& call : choice.calls) {
      calls.push_back(
          json::object{{"id", call.id},
                       {"type", "function"},
                       {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    message["tool_calls"] = std::move(calls);
  }

  AnswerIdentity identity_;
  std::uint32_t num_alternatives_;
  bool wants_logprobs_;
  bool answers_function_call_;
  std::vector<Choice> choices_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<Answer> make_chat_answer(const GenerationRequest& request,
                                         AnswerIdentity identity) {
  if (request.is_streamed) return std::make_unique<ChatStream>(request, std::move(identity));
  return std::make_unique<ChatDocument>(request, std::move(identity));
}

}  // namespace vernal::openai_http
