// All models of a process and the requests to them: what frontends reach through the engine
// service.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/memory_use.hpp"
#include "engine/model_engine.hpp"
#include "engine/request/intake.hpp"
#include "engine/request/request.hpp"
#include "observe/log.hpp"

namespace vernal {

struct EngineOptions {
  std::size_t num_intake_threads = 0;  ///< 0: one for four processors, at least one
  std::size_t max_intake_bytes = std::size_t{256} << 20U;  ///< of requests on their way to a model
  EventLimits event_limits;
  Clock clock = system_clock();  ///< what chat templates see
};

/// A model or profile as clients see it.
struct ModelDescription {
  std::string id;
  std::string architecture;
  std::string description;
  std::uint64_t context_length = 0;
  std::uint64_t created = 0;  ///< Unix seconds
  std::uint64_t vocabulary_size = 0;
  bool has_chat_template = false;
  std::vector<std::string> aliases = {};  ///< other names for it
  std::uint64_t num_slots = 0;
  std::uint64_t embedding_size = 0;  ///< numbers in an embedding; 0: it gives none
  ModelStatus status = {};           ///< set by the engine
};

/// One counter, one gauge, or one series of a histogram. The views live for the call.
struct MetricSample {
  std::string_view name;
  std::string_view help;
  std::string_view labels;  ///< Prometheus form without braces
  double value;
  std::uint32_t type;  ///< VERNAL_METRIC_*
};

struct SubmitArguments {
  std::string_view model;
  std::string_view document;        ///< vernal.request/1
  std::span<const TokenId> tokens;  ///< the prompt, if has_tokens
  bool has_tokens = false;
  std::function<void(RequestId)> on_ready;  ///< may be empty; see EventQueue
};

/// Any thread, unless stated otherwise. Models are declared and started, and the engine is drained
/// and stopped, by the control thread.
class Engine {
 public:
  /// `log` outlives the engine.
  Engine(EngineOptions options, Log& log);
  /// Stops as stop() does, without waiting for steps. All frontends must be gone.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // ---- models: control thread
  /// Declares a model of the deployment, which is LOADING from now on. models() lists models in the
  /// order in which they were declared.
  void declare_model(ModelDescription description, RequestDefaults defaults);
  /// Declares another name for a model that was declared before, with defaults of its own. The name,
  /// as every alias, may be a pattern (vernal/frontend/model_names.hpp).
  void declare_profile(std::string id, const std::string& model, RequestDefaults defaults,
                       std::vector<std::string> aliases = {});
  /// Starts the declared model of that id: it is READY from now on. Its description becomes what the
  /// file says. Settings that have no effect on this model are warned of in the log.
  /// Errors   what opening its StepModel throws; the model is FAILED then
  void start_model(LoadedModel model);
  /// Says what a started model takes, for the metrics.
  void report_memory(std::string_view id, std::vector<MemoryUse> memory);
  /// Says that a declared model could not be loaded: it is FAILED from now on.
  void fail_model(std::string_view id, std::string reason);

  // ---- the engine service
  std::vector<ModelDescription> models() const;
  /// Submits a request and returns at once. Its first event says whether it was accepted.
  /// Errors   NOT_FOUND: no such model; UNAVAILABLE: it loads, has failed or the engine drains;
  /// QUEUE_FULL
  RequestId submit(const SubmitArguments& arguments);
  /// The next event, or nothing. One thread at a time may ask for one request.
  /// Errors   NOT_FOUND: released, or never submitted
  std::optional<Event> poll(RequestId id);
  std::optional<Event> wait(RequestId id, std::chrono::milliseconds timeout);
  /// The next event in the interface's form, or null. It lives until the next call for that request.
  const vernal_event* poll_view(RequestId id, std::chrono::milliseconds timeout);
  void cancel(RequestId id, std::string_view reason = {});
  /// Frees a request, and cancels it if it has not ended. When this returns, no callback of the
  /// request runs.
  void release(RequestId id);
  void visit_metrics(const std::function<void(const MetricSample&)>& visit) const;
  /// READY if every model is, else the state of a model that is not, with the reasons.
  ModelStatus health() const;

  // ---- the text service
  /// The text side of a model or profile.
  /// Errors   NOT_FOUND, UNAVAILABLE
  struct TextModel {
    std::shared_ptr<const ModelEngine> engine;
    std::shared_ptr<const RequestDefaults> defaults;
  };
  TextModel text_model(std::string_view id) const;

  // ---- the end: control thread
  /// Takes no more requests. Those in flight go on.
  void begin_drain();
  /// Requests that have not ended.
  std::uint64_t num_open_requests() const;
  /// Ends every request and joins all threads. Waits up to `timeout` for steps to end. May be
  /// repeated.
  /// Returns   false if a step did not end. Its thread and the backend are still at work then, so
  ///           nothing may be unloaded, and the process should end without destroying more
  bool stop(std::chrono::milliseconds timeout) noexcept;

 private:
  struct Model {
    ModelDescription description;
    std::shared_ptr<ModelEngine> engine;  // shared with requests in the intake
    std::vector<MemoryUse> memory;        // by device
  };
  struct Name {
    std::string id;
    std::size_t model;
    std::shared_ptr<const RequestDefaults> defaults;  // shared with requests in the intake
    std::vector<std::string> aliases;
  };
  struct OpenRequest {
    std::shared_ptr<Request> request;
    std::shared_ptr<ModelEngine> model;
  };

  // Under models_mutex_.
  /// The name that a request means by `id`; throws NOT_FOUND.
  const Name& find_name(std::string_view id) const;
  std::size_t find_model(std::string_view id) const;
  ModelStatus status_of(const Model& model) const;
  bool is_hung(const ModelEngine& engine) const;

  // Throws NOT_FOUND.
  OpenRequest find(RequestId id) const;
  TextModel ready_model(std::string_view id, std::shared_ptr<ModelEngine>* engine) const;
  /// The next engine at or behind `index`, which moves on; null: there is none.
  std::shared_ptr<ModelEngine> engine_from(std::size_t& index) const noexcept;
  /// Calls f(engine) for each engine, without the lock. Allocates nothing.
  template <class F>
  void for_each_engine(F&& f) const {
    std::size_t index = 0;
    while (const std::shared_ptr<ModelEngine> engine = engine_from(index)) f(engine);
  }
  std::chrono::milliseconds watch_period() const;
  /// The last reason that was logged of each model's failure.
  using ReportedReasons = std::unordered_map<const ModelEngine*, std::string>;
  void watch() noexcept;
  void look_after_engines(ReportedReasons& reported);
  std::shared_ptr<Request> open_request_of(const ModelEngine& engine) const noexcept;
  void end_hung_requests(const ModelEngine& engine) noexcept;

  const EngineOptions options_;
  Log& log_;

  mutable std::shared_mutex models_mutex_;  // guards the next three
  std::vector<Model> models_;
  std::vector<Name> names_;
  bool is_draining_ = false;

  mutable std::mutex requests_mutex_;  // guards the next two
  std::unordered_map<RequestId, OpenRequest> requests_;
  RequestId last_id_ = 0;

  Intake intake_;

  std::mutex watchdog_mutex_;  // guards is_stopped_
  std::condition_variable watchdog_wakes_;
  bool is_stopped_ = false;
  bool has_abandoned_step_ = false;  // control thread
  std::thread watchdog_;
};

}  // namespace vernal
