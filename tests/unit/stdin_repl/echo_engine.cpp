#include "unit/stdin_repl/echo_engine.hpp"

#include <boost/json/parse.hpp>
#include <chrono>
#include <sstream>
#include <utility>

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;

constexpr vernal_request_id kRequest = 1;
constexpr std::chrono::milliseconds kWordTime{5};

std::string question_of(std::string_view document) {
  const json::value value = json::parse({document.data(), document.size()});
  if (const json::value* prompt = value.as_object().if_contains("prompt")) {
    return std::string(prompt->as_string());
  }
  return std::string(value.at("messages").as_array().back().at("content").as_string());
}

}  // namespace

struct EchoEngineFunctions {
  static EchoEngine& echo(vernal_engine* engine) { return *reinterpret_cast<EchoEngine*>(engine); }

  static std::int32_t list_models(vernal_engine*, const vernal_model_sink* sink) {
    vernal_model_info info{};
    info.struct_size = sizeof(info);
    info.id = to_str("echo");
    info.architecture = to_str("echo");
    info.context_length = 4096;
    info.has_chat_template = 1;
    return sink->add(sink->user, &info);
  }

  static std::int32_t submit(vernal_engine* engine, const vernal_submit_args* args,
                             vernal_request_id* out) {
    EchoEngine& self = echo(engine);
    self.events_.clear();
    self.is_cancelled_ = false;
    self.num_words_ = 0;
    self.on_ready_ = args->on_ready;
    self.user_ = args->user;
    *out = kRequest;
    self.thread_ = std::thread(
        [&self, question = question_of(view(args->request_json))] { self.answer(question); });
    return VERNAL_OK;
  }

  static std::int32_t poll_events(vernal_engine* engine, vernal_request_id, vernal_event* out,
                                  std::uint32_t* out_more) {
    EchoEngine& self = echo(engine);
    const std::lock_guard lock(self.mutex_);
    *out_more = self.events_.empty() ? 0 : 1;
    if (self.events_.empty()) return VERNAL_OK;
    self.current_ = std::move(self.events_.front());
    self.events_.pop_front();
    vernal_event event{};
    event.struct_size = sizeof(event);
    event.type = self.current_.type;
    event.text = to_str(self.current_.text);
    event.channel = VERNAL_CHANNEL_CONTENT;
    event.code = event.type == VERNAL_EVENT_ERROR ? VERNAL_CANCELLED : VERNAL_OK;
    event.prompt_tokens = 1;
    event.completion_tokens = self.num_words_;
    event.prefill_us = 1000;
    event.decode_us = 1 + 5000 * self.num_words_;
    copy_out(event, out);
    return VERNAL_OK;
  }

  static std::int32_t cancel(vernal_engine* engine, vernal_request_id, vernal_str) {
    EchoEngine& self = echo(engine);
    const std::lock_guard lock(self.mutex_);
    self.is_cancelled_ = true;
    self.changed_.notify_all();
    return VERNAL_OK;
  }

  static std::int32_t release(vernal_engine* engine, vernal_request_id request) {
    cancel(engine, request, {});
    echo(engine).thread_.join();
    return VERNAL_OK;
  }
};

EchoEngine::~EchoEngine() {
  if (thread_.joinable()) thread_.join();
}

void EchoEngine::push(QueuedEvent event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  on_ready_(user_, kRequest);
}

// Waits a moment. True if the request was cancelled in it.
bool EchoEngine::pause() {
  std::unique_lock lock(mutex_);
  ++num_words_;
  return changed_.wait_for(lock, kWordTime, [&] { return is_cancelled_; });
}

void EchoEngine::answer(const std::string& question) {
  push({VERNAL_EVENT_ACCEPTED, {}});
  const bool is_endless = question.find("count") != std::string::npos;
  std::istringstream words(question);
  std::string word;
  for (int i = 1; is_endless || words >> word; ++i) {
    if (pause()) return push({VERNAL_EVENT_ERROR, "cancelled"});
    push({VERNAL_EVENT_DELTA, (is_endless ? std::to_string(i) : word) + " "});
  }
  push({VERNAL_EVENT_FINISHED, {}});
}

EngineClient EchoEngine::client() {
  static constexpr vernal_engine_api kApi = {
      .struct_size = sizeof(vernal_engine_api),
      .list_models = EchoEngineFunctions::list_models,
      .submit = EchoEngineFunctions::submit,
      .poll_events = EchoEngineFunctions::poll_events,
      .wait_events = [](vernal_engine*, vernal_request_id, std::uint64_t, vernal_event*,
                        std::uint32_t*) -> std::int32_t { return VERNAL_UNIMPLEMENTED; },
      .cancel = EchoEngineFunctions::cancel,
      .release = EchoEngineFunctions::release,
      .stats = [](vernal_engine*, const vernal_metric_sink*) -> std::int32_t { return VERNAL_OK; },
      .health = [](vernal_engine*, std::uint32_t*, const vernal_sink*) -> std::int32_t {
        return VERNAL_UNIMPLEMENTED;
      },
      .list_slots = nullptr,
  };
  return {&kApi, reinterpret_cast<vernal_engine*>(this)};
}

}  // namespace vernal::stdin_repl
