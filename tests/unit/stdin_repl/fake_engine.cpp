#include "unit/stdin_repl/fake_engine.hpp"

#include <utility>

namespace vernal::stdin_repl {
namespace {

constexpr vernal_request_id kRequest = 7;

}  // namespace

struct FakeEngineFunctions {
  static FakeEngine& fake(vernal_engine* engine) { return *reinterpret_cast<FakeEngine*>(engine); }

  static std::int32_t list_models(vernal_engine* engine, const vernal_model_sink* sink) {
    for (const ModelInfo& model : fake(engine).models) {
      vernal_model_info info{};
      info.struct_size = sizeof(info);
      info.id = to_str(model.id);
      info.architecture = to_str(model.architecture);
      info.context_length = model.context_length;
      info.has_chat_template = model.has_chat_template ? 1 : 0;
      if (const std::int32_t status = sink->add(sink->user, &info)) return status;
    }
    return VERNAL_OK;
  }

  static std::int32_t submit(vernal_engine* engine, const vernal_submit_args* args,
                             vernal_request_id* out) {
    FakeEngine& self = fake(engine);
    self.documents.emplace_back(view(args->request_json));
    self.model_names.emplace_back(view(args->model));
    if (self.scripts.empty()) {
      plugin_host().set_error(VERNAL_QUEUE_FULL, "64 requests wait already");
      return VERNAL_QUEUE_FULL;
    }
    const std::lock_guard lock(self.mutex_);
    self.script_ = std::move(self.scripts.front());
    self.scripts.pop_front();
    self.position_ = 0;
    self.is_cancelled_ = false;
    self.has_ended_ = false;
    self.on_ready_ = args->on_ready;
    self.user_ = args->user;
    *out = kRequest;
    return VERNAL_OK;
  }

  static vernal_event to_event(const ScriptedStep& step) {
    vernal_event event{};
    event.struct_size = sizeof(event);
    event.type = step.type;
    event.channel = step.channel;
    event.finish_reason = step.finish_reason;
    event.code = step.code;
    event.done = step.done;
    event.total = step.total;
    if (step.type == VERNAL_EVENT_FINISHED) {
      event.prompt_tokens = 35;
      event.cached_tokens = 20;
      event.completion_tokens = 11;
      event.prefill_us = 300'000;
      event.decode_us = 500'000;
    }
    return event;
  }

  static std::int32_t poll_events(vernal_engine* engine, vernal_request_id, vernal_event* out,
                                  std::uint32_t* out_more) {
    FakeEngine& self = fake(engine);
    *out_more = 0;
    ScriptedStep step;
    {
      const std::lock_guard lock(self.mutex_);
      if (self.has_ended_) return VERNAL_OK;
      if (self.is_cancelled_) {
        step = {.type = VERNAL_EVENT_ERROR, .text = "cancelled", .code = VERNAL_CANCELLED};
      } else if (self.position_ < self.script_.size()) {
        step = self.script_[self.position_++];
      }
    }
    if (step.before) step.before();
    if (step.type == 0) return VERNAL_OK;
    vernal_event event = to_event(step);
    self.event_text_ = std::move(step.text);
    event.text = to_str(self.event_text_);
    self.has_ended_ = is_terminal(event);
    copy_out(event, out);
    *out_more = 1;
    return VERNAL_OK;
  }

  static std::int32_t wait_events(vernal_engine*, vernal_request_id, std::uint64_t, vernal_event*,
                                  std::uint32_t*) {
    return VERNAL_UNIMPLEMENTED;
  }

  static std::int32_t cancel(vernal_engine* engine, vernal_request_id request, vernal_str) {
    FakeEngine& self = fake(engine);
    {
      const std::lock_guard lock(self.mutex_);
      ++self.num_cancelled;
      self.is_cancelled_ = true;
    }
    self.on_ready_(self.user_, request);
    return VERNAL_OK;
  }

  static std::int32_t release(vernal_engine* engine, vernal_request_id) {
    ++fake(engine).num_released;
    return VERNAL_OK;
  }

  static std::int32_t stats(vernal_engine*, const vernal_metric_sink*) { return VERNAL_OK; }

  static std::int32_t health(vernal_engine*, std::uint32_t* state, const vernal_sink*) {
    *state = VERNAL_MODEL_READY;
    return VERNAL_OK;
  }
};

Script answer_of(const std::vector<std::string>& texts) {
  Script script = {{.type = VERNAL_EVENT_ACCEPTED}};
  for (const std::string& text : texts) {
    script.push_back({.type = VERNAL_EVENT_DELTA, .text = text});
  }
  script.push_back({.type = VERNAL_EVENT_CHOICE_FINISHED, .finish_reason = VERNAL_FINISH_STOP});
  script.push_back({.type = VERNAL_EVENT_FINISHED});
  return script;
}

Script error_of(std::int32_t code, const std::string& text) {
  return {{.type = VERNAL_EVENT_ERROR, .text = text, .code = code}};
}

FakeEngine::FakeEngine() {
  ModelInfo qwen;
  qwen.id = "qwen";
  qwen.architecture = "qwen2";
  qwen.context_length = 4096;
  qwen.has_chat_template = true;
  ModelInfo plain = qwen;
  plain.id = "plain";
  plain.has_chat_template = false;
  models = {qwen, plain};
}

EngineClient FakeEngine::client() {
  static constexpr vernal_engine_api kApi = {
      .struct_size = sizeof(vernal_engine_api),
      .list_models = FakeEngineFunctions::list_models,
      .submit = FakeEngineFunctions::submit,
      .poll_events = FakeEngineFunctions::poll_events,
      .wait_events = FakeEngineFunctions::wait_events,
      .cancel = FakeEngineFunctions::cancel,
      .release = FakeEngineFunctions::release,
      .stats = FakeEngineFunctions::stats,
      .health = FakeEngineFunctions::health,
      .list_slots = nullptr,
  };
  return {&kApi, reinterpret_cast<vernal_engine*>(this)};
}

}  // namespace vernal::stdin_repl
