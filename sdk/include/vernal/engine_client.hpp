// The core's engine service as a frontend uses it: models, requests and their events.
//
// clang-format off
//   vernal::EngineClient engine;  // at start, control thread
//   vernal::Submission sent = engine.submit({.model = "qwen", .request_json = document});
//   if (!sent.accepted()) return refuse(sent.status, sent.reason);  // queue full, still loading
//   vernal_event event{};
//   while (!vernal::is_terminal(event)) {
//     if (sent.request.wait(1000, event)) answer(event);  // or poll, after on_ready
//   }
// clang-format on
//
// An EngineClient is cheap to copy. An EngineRequest owns one request. The functions of
// vernal_engine_api (abi/frontend.h) say which threads may call what.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vernal/abi/frontend.h"
#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal {

/// See vernal_model_info.
struct ModelInfo {
  std::string id;
  std::string architecture;
  std::string description;
  std::uint64_t context_length = 0;
  std::uint64_t created = 0;  // Unix seconds
  std::uint64_t vocabulary_size = 0;
  std::uint32_t state = 0;  // VERNAL_MODEL_*
  bool has_chat_template = false;
  std::vector<std::string> aliases = {};
  std::uint64_t num_slots = 0;       // 0: not told
  std::uint64_t embedding_size = 0;  // 0: it gives none
};

/// See vernal_slot_info.
struct SlotInfo {
  std::uint64_t slot = 0;         // from 1
  vernal_request_id request = 0;  // 0: it is free
  std::uint64_t prompt_tokens = 0;
  std::uint64_t computed_tokens = 0;
  std::uint64_t generated_tokens = 0;
  std::uint64_t max_new_tokens = 0;
};

/// See vernal_metric.
struct Metric {
  std::string name;
  std::string help;
  std::string labels;
  double value = 0;
  std::uint32_t type = VERNAL_METRIC_GAUGE;
};

/// The state of all models together.
struct Health {
  std::uint32_t state = 0;  // VERNAL_MODEL_*
  std::string reason;
};

/// See vernal_submit_args. Everything is borrowed for the call.
struct SubmitArgs {
  std::string_view model;
  std::string_view request_json;
  std::span<const std::int32_t> tokens = {};
  void (*on_ready)(void* user, vernal_request_id request) = nullptr;
  void* user = nullptr;
};

/// The token ids of a delta, borrowed from the event.
inline std::span<const std::int32_t> tokens_of(const vernal_event& event) {
  return {event.tokens, event.num_tokens};
}

/// The vector of an EMBEDDING event, borrowed from the event.
inline std::span<const float> embedding_of(const vernal_event& event) {
  return {event.embedding, event.embedding_size};
}

/// The lines of a text; none of an empty one.
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

/// The log probabilities of a delta, one for each token. Text in them is borrowed from the event.
inline std::vector<vernal_token_logprob> logprobs_of(const vernal_event& event) {
  std::vector<vernal_token_logprob> out;
  out.reserve(event.num_logprobs);
  for (std::uint64_t i = 0; i < event.num_logprobs; ++i) {
    out.push_back(element_at(event.logprobs, event.logprob_stride, i));
  }
  return out;
}

/// The alternatives of one position, best first. Text in them is borrowed from the event.
inline std::vector<vernal_candidate> alternatives_of(const vernal_token_logprob& position) {
  std::vector<vernal_candidate> out;
  out.reserve(position.num_alternatives);
  for (std::uint64_t i = 0; i < position.num_alternatives; ++i) {
    out.push_back(element_at(position.alternatives, position.alternative_stride, i));
  }
  return out;
}

/// Whether no event follows this one.
inline bool is_terminal(const vernal_event& event) {
  return event.type == VERNAL_EVENT_FINISHED || event.type == VERNAL_EVENT_ERROR;
}

/// Owns one request. The destructor releases it, which cancels a request that still runs. Movable.
/// Use it on one thread at a time. The destructor must not run inside on_ready.
class EngineRequest {
 public:
  EngineRequest() = default;
  EngineRequest(const vernal_engine_api& api, vernal_engine* engine, vernal_request_id id)
      : api_(api), engine_(engine), id_(id) {}
  EngineRequest(EngineRequest&& other) noexcept { *this = std::move(other); }
  EngineRequest& operator=(EngineRequest&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(engine_, other.engine_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~EngineRequest() { release(); }

  /// 0 for an empty object.
  vernal_request_id id() const noexcept { return id_; }

  /// Takes the next event into `event` without waiting. False if there is none now.
  /// Text in `event` lives until the next poll, wait or release of this request.
  bool poll(vernal_event& event) const {
    std::uint32_t more = 0;
    prepare(event);
    plugin_host().check(api_.poll_events(engine_, id_, &event, &more), "poll events");
    return more != 0;
  }
  /// Like poll, but waits for an event for up to `timeout_ms`. False if none came.
  bool wait(std::uint64_t timeout_ms, vernal_event& event) const {
    std::uint32_t more = 0;
    prepare(event);
    plugin_host().check(api_.wait_events(engine_, id_, timeout_ms, &event, &more),
                        "wait for events");
    return more != 0;
  }
  /// Cancels the request; its last event still comes. Any thread.
  void cancel(std::string_view reason) const noexcept {
    if (id_ != 0) api_.cancel(engine_, id_, to_str(reason));
  }
  /// Releases the request now. When it returns, on_ready does not run and will not run again.
  void release() noexcept {
    if (id_ != 0) api_.release(engine_, std::exchange(id_, 0));
  }

 private:
  static void prepare(vernal_event& event) noexcept {
    event = {};
    event.struct_size = sizeof(event);
  }

  vernal_engine_api api_{};
  vernal_engine* engine_ = nullptr;
  vernal_request_id id_ = 0;
};

/// The answer to a submit: a request, or the reason why there is none. QUEUE_FULL, UNAVAILABLE and
/// NOT_FOUND are normal answers.
struct Submission {
  std::int32_t status = VERNAL_OK;
  std::string reason;
  EngineRequest request;

  bool accepted() const noexcept { return status == VERNAL_OK; }
};

/// Comfort over vernal_engine_api. Any thread. Members throw Error if the core refuses; submit
/// returns the refusal instead.
class EngineClient {
 public:
  /// The service of this plugin's host. Control thread. Throws Error if the host offers none.
  EngineClient() {
    void* object = nullptr;
    const auto* table = plugin_host().service<vernal_engine_api>(VERNAL_SERVICE_ENGINE, &object);
    api_ = adopt_table(table, "vernal_engine_api");
    engine_ = static_cast<vernal_engine*>(object);
  }
  EngineClient(const vernal_engine_api* api, vernal_engine* engine)
      : api_(adopt_table(api, "vernal_engine_api")), engine_(engine) {}

  /// The models and profiles in the deployment's order, also while they load.
  std::vector<ModelInfo> models() const {
    std::vector<ModelInfo> out;
    const vernal_model_sink sink{
        [](void* user, const vernal_model_info* model) noexcept -> std::int32_t {
          return guard([&] {
            const vernal_model_info m = copy_in(model);
            static_cast<std::vector<ModelInfo>*>(user)->push_back(
                {std::string(view(m.id)), std::string(view(m.architecture)),
                 std::string(view(m.description)), m.context_length, m.created, m.vocabulary_size,
                 m.state, m.has_chat_template != 0, lines_of(view(m.aliases)), m.num_slots,
                 m.embedding_size});
          });
        },
        &out};
    plugin_host().check(api_.list_models(engine_, &sink), "list models");
    return out;
  }

  /// Sends a request. Copies everything and returns at once.
  Submission submit(const SubmitArgs& args) const {
    vernal_submit_args raw{};
    raw.struct_size = sizeof(raw);
    raw.model = to_str(args.model);
    raw.request_json = to_str(args.request_json);
    raw.tokens = args.tokens.data();
    raw.num_tokens = args.tokens.size();
    raw.on_ready = args.on_ready;
    raw.user = args.user;
    vernal_request_id id = 0;
    const std::int32_t status = api_.submit(engine_, &raw, &id);
    if (status != VERNAL_OK) return {status, plugin_host().take_error(status), {}};
    return {VERNAL_OK, {}, EngineRequest(api_, engine_, id)};
  }

  /// Cancels a request by its id. Unknown and finished requests are ignored.
  void cancel(vernal_request_id request, std::string_view reason) const noexcept {
    api_.cancel(engine_, request, to_str(reason));
  }

  /// Counters and gauges.
  std::vector<Metric> metrics() const {
    std::vector<Metric> out;
    const vernal_metric_sink sink{
        [](void* user, const vernal_metric* metric) noexcept -> std::int32_t {
          return guard([&] {
            const vernal_metric m = copy_in(metric);
            static_cast<std::vector<Metric>*>(user)->push_back(
                {std::string(view(m.name)), std::string(view(m.help)), std::string(view(m.labels)),
                 m.value, m.type});
          });
        },
        &out};
    plugin_host().check(api_.stats(engine_, &sink), "engine statistics");
    return out;
  }

  /// The slots of a model. UNIMPLEMENTED on hosts before 1.2.
  std::vector<SlotInfo> slots(std::string_view model) const {
    std::vector<SlotInfo> out;
    const vernal_slot_sink sink{
        [](void* user, const vernal_slot_info* slot) noexcept -> std::int32_t {
          return guard([&] {
            const vernal_slot_info s = copy_in(slot);
            static_cast<std::vector<SlotInfo>*>(user)->push_back(
                {s.slot, s.request, s.prompt_tokens, s.computed_tokens, s.generated_tokens,
                 s.max_new_tokens});
          });
        },
        &out};
    plugin_host().check(api_.list_slots(engine_, to_str(model), &sink), "list slots");
    return out;
  }

  /// READY if every model is ready, FAILED if one has failed, else the state of a model that is not
  /// ready; with the reasons.
  Health health() const {
    Health out;
    const vernal_sink sink = append_to(out.reason);
    plugin_host().check(api_.health(engine_, &out.state, &sink), "engine health");
    return out;
  }

 private:
  vernal_engine_api api_{};
  vernal_engine* engine_ = nullptr;
};

}  // namespace vernal
