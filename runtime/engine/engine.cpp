#include "engine/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/request/request_error.hpp"
#include "vernal/frontend/model_names.hpp"

namespace vernal {
namespace {

// Bounds of how often the watchdog looks: a part of the step timeout, but neither busy nor asleep.
constexpr std::chrono::milliseconds kShortestWatch{10};
constexpr std::chrono::milliseconds kLongestWatch{5000};
constexpr std::chrono::milliseconds kLongestWait{24 * 3600 * 1000};

std::size_t choose_intake_threads(std::size_t wanted) {
  constexpr std::size_t kProcessorsPerThread = 4;
  return wanted > 0
             ? wanted
             : std::max<std::size_t>(1, std::thread::hardware_concurrency() / kProcessorsPerThread);
}

RequestError no_such_model(std::string_view id) {
  return {"model_not_found",
          {.param = "model"},
          fmt::format("The model `{}` does not exist or is not served here.", id)};
}

RequestError unavailable(std::string_view id, const ModelStatus& status) {
  const std::string message =
      fmt::format("The model `{}` is not available: {}.", id, status.reason);
  if (status.state == VERNAL_MODEL_LOADING) return {"model_loading", {}, message};
  return {"model_unavailable", {}, message};
}

RequestError at_capacity() {
  return {"server_is_overloaded",
          {},
          "The server is at capacity: too many requests are waiting. Try again later."};
}

}  // namespace

Engine::Engine(EngineOptions options, Log& log)
    : options_(std::move(options)),
      log_(log),
      intake_(choose_intake_threads(options_.num_intake_threads), options_.max_intake_bytes),
      watchdog_([this] { watch(); }) {}

Engine::~Engine() { stop(std::chrono::milliseconds(0)); }

// ---- models -------------------------------------------------------------------------------------

void Engine::declare_model(ModelDescription description, RequestDefaults defaults) {
  const std::unique_lock lock(models_mutex_);
  description.status = {VERNAL_MODEL_LOADING, "it is loading"};
  names_.push_back({description.id, models_.size(),
                    std::make_shared<const RequestDefaults>(std::move(defaults)),
                    std::move(description.aliases)});
  models_.push_back({std::move(description), nullptr, {}});
}

void Engine::declare_profile(std::string id, const std::string& model, RequestDefaults defaults,
                             std::vector<std::string> aliases) {
  const std::unique_lock lock(models_mutex_);
  names_.push_back({std::move(id), find_model(model),
                    std::make_shared<const RequestDefaults>(std::move(defaults)),
                    std::move(aliases)});
}

void Engine::start_model(LoadedModel model) {
  ModelDescription description{model.id,
                               model.architecture,
                               model.description,
                               model.context_length,
                               model.created,
                               model.vocabulary_size,
                               model.chat_template != nullptr,
                               {},
                               model.slots,
                               model.embedding_size,
                               {VERNAL_MODEL_READY, {}}};
  std::shared_ptr<ModelEngine> engine;
  try {
    engine = ModelEngine::start(std::move(model), options_.clock);
  } catch (const std::exception& error) {
    fail_model(description.id, error.what());
    throw;
  }
  if (const std::string warning = engine->start_warning(); !warning.empty()) {
    log_.warning("model " + description.id, "{}", warning);
  }
  {
    const std::unique_lock lock(models_mutex_);
    Model& declared = models_[find_model(description.id)];
    declared = {std::move(description), std::move(engine), {}};
  }
  watchdog_wakes_.notify_all();  // its steps may have to be looked at more often
}

void Engine::report_memory(std::string_view id, std::vector<MemoryUse> memory) {
  const std::unique_lock lock(models_mutex_);
  models_[find_model(id)].memory = std::move(memory);
}

void Engine::fail_model(std::string_view id, std::string reason) {
  const std::unique_lock lock(models_mutex_);
  models_[find_model(id)].description.status = {VERNAL_MODEL_FAILED, std::move(reason)};
}

std::vector<ModelDescription> Engine::models() const {
  const std::shared_lock lock(models_mutex_);
  std::vector<ModelDescription> result;
  for (const Name& name : names_) {
    const Model& model = models_[name.model];
    result.push_back(model.description);
    result.back().id = name.id;
    result.back().aliases = name.aliases;
    result.back().status = status_of(model);
  }
  return result;
}

const Engine::Name& Engine::find_name(std::string_view id) const {
  const Name* found = nullptr;
  NameSearch search(id);
  for (const Name& name : names_) {
    if (search.offer(name.id)) found = &name;
    for (const std::string& alias : name.aliases) {
      if (search.offer(alias)) found = &name;
    }
  }
  if (found == nullptr) {
    throw no_such_model(id);
  }
  return *found;
}

std::size_t Engine::find_model(std::string_view id) const {
  const auto found = std::find_if(models_.begin(), models_.end(),
                                  [&](const Model& model) { return model.description.id == id; });
  if (found == models_.end()) {
    throw no_such_model(id);
  }
  return static_cast<std::size_t>(found - models_.begin());
}

ModelStatus Engine::status_of(const Model& model) const {
  ModelStatus status = model.engine ? model.engine->status() : model.description.status;
  if (status.state == VERNAL_MODEL_READY && is_hung(*model.engine)) {
    return {VERNAL_MODEL_FAILED, "a step does not end"};
  }
  if (status.state == VERNAL_MODEL_READY && is_draining_) {
    return {VERNAL_MODEL_DRAINING, "the server is stopping"};
  }
  return status;
}

bool Engine::is_hung(const ModelEngine& engine) const {
  return engine.step_running_for(SteadyClock::now()) > engine.model().limits.step_timeout;
}

ModelStatus Engine::health() const {
  const std::shared_lock lock(models_mutex_);
  ModelStatus worst{VERNAL_MODEL_READY, {}};
  for (const Model& model : models_) {
    const ModelStatus status = status_of(model);
    if (status.state == VERNAL_MODEL_READY) {
      continue;
    }
    const bool is_worse = worst.state == VERNAL_MODEL_READY || status.state == VERNAL_MODEL_FAILED;
    worst.state = is_worse ? status.state : worst.state;
    worst.reason += fmt::format("{}{}: {}", worst.reason.empty() ? "" : "; ", model.description.id,
                                status.reason);
  }
  return worst;
}

// ---- requests -----------------------------------------------------------------------------------

RequestId Engine::submit(const SubmitArguments& arguments) {
  std::shared_ptr<ModelEngine> engine;
  const TextModel target = ready_model(arguments.model, &engine);
  if (engine->has_full_queue()) {
    throw at_capacity();
  }
  std::shared_ptr<Request> request;
  {
    const std::lock_guard lock(requests_mutex_);
    Request::Options options{
        ++last_id_, options_.event_limits, {}, engine->signal(), engine->metrics()};
    if (arguments.on_ready) {
      options.on_ready = [id = last_id_, on_ready = arguments.on_ready] { on_ready(id); };
    }
    request = std::make_shared<Request>(std::move(options));
    requests_.emplace(request->id(), OpenRequest{request, engine});
  }
  try {
    SubmittedRequest submitted{request,
                               engine,
                               target.defaults,
                               std::string(arguments.document),
                               {arguments.tokens.begin(), arguments.tokens.end()},
                               arguments.has_tokens};
    if (!intake_.submit(std::move(submitted))) throw at_capacity();
  } catch (const std::exception& error) {
    request->events().close();  // nobody knows of it yet, so nobody is to be called
    request->fail(error);
    release(request->id());
    throw;
  }
  return request->id();
}

Engine::OpenRequest Engine::find(RequestId id) const {
  const std::lock_guard lock(requests_mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("request {}: released, or never submitted", id));
  }
  return found->second;
}

std::optional<Event> Engine::poll(RequestId id) { return find(id).request->events().pop(); }

std::optional<Event> Engine::wait(RequestId id, std::chrono::milliseconds timeout) {
  return find(id).request->events().wait_pop(std::min(timeout, kLongestWait));
}

const vernal_event* Engine::poll_view(RequestId id, std::chrono::milliseconds timeout) {
  const std::shared_ptr<Request> request = find(id).request;
  EventQueue& events = request->events();
  std::optional<Event> event =
      timeout.count() == 0 ? events.pop() : events.wait_pop(std::min(timeout, kLongestWait));
  return event ? &request->polled().set(std::move(*event)) : nullptr;
}

void Engine::cancel(RequestId id, std::string_view reason) {
  const OpenRequest open = find(id);
  open.request->cancel(reason);
  intake_.hurry(*open.request);
}

void Engine::release(RequestId id) {
  const OpenRequest open = find(id);
  open.request->cancel();
  intake_.hurry(*open.request);
  open.request->events().close();
  const std::lock_guard lock(requests_mutex_);
  requests_.erase(id);
}

Engine::TextModel Engine::ready_model(std::string_view id,
                                      std::shared_ptr<ModelEngine>* engine) const {
  const std::shared_lock lock(models_mutex_);
  const Name& name = find_name(id);
  const Model& model = models_[name.model];
  const ModelStatus status = status_of(model);
  if (status.state != VERNAL_MODEL_READY) {
    throw unavailable(id, status);
  }
  *engine = model.engine;
  return {model.engine, name.defaults};
}

Engine::TextModel Engine::text_model(std::string_view id) const {
  const std::shared_lock lock(models_mutex_);
  const Name& name = find_name(id);
  const Model& model = models_[name.model];
  if (!model.engine) {
    throw unavailable(id, model.description.status);
  }
  return {model.engine, name.defaults};
}

// ---- watchdog and end ---------------------------------------------------------------------------

std::shared_ptr<ModelEngine> Engine::engine_from(std::size_t& index) const noexcept {
  const std::shared_lock lock(models_mutex_);
  while (index < models_.size()) {
    const Model& model = models_[index++];
    if (model.engine) return model.engine;
  }
  return nullptr;
}

std::chrono::milliseconds Engine::watch_period() const {
  std::chrono::milliseconds period = kLongestWatch;
  for_each_engine([&](const std::shared_ptr<ModelEngine>& engine) {
    period = std::min(period, engine->model().limits.step_timeout / 4);
  });
  return std::max(period, kShortestWatch);
}

void Engine::watch() noexcept {
  ReportedReasons reported;
  std::unique_lock lock(watchdog_mutex_);
  std::chrono::milliseconds period = kShortestWatch;
  while (!is_stopped_) {
    watchdog_wakes_.wait_for(lock, period);
    if (is_stopped_) return;
    try {
      look_after_engines(reported);
      period = watch_period();
    } catch (const std::exception&) {
      period = kShortestWatch;  // there was no memory to look; soon again
    }
  }
}

void Engine::look_after_engines(ReportedReasons& reported) {
  for_each_engine([&](const std::shared_ptr<ModelEngine>& engine) {
    if (is_hung(*engine)) {
      end_hung_requests(*engine);
    }
    ModelStatus status = engine->status();
    if (is_hung(*engine)) {
      status.reason = fmt::format("a step has not ended within {} ms",
                                  engine->model().limits.step_timeout.count());
    }
    std::string& last = reported[engine.get()];
    if (!status.reason.empty() && status.reason != last) {
      log_.error("engine", "model {}: {}", engine->model().id, status.reason);
    }
    last = status.reason;
  });
}

std::shared_ptr<Request> Engine::open_request_of(const ModelEngine& engine) const noexcept {
  const std::lock_guard lock(requests_mutex_);
  for (const auto& [id, open] : requests_) {
    if (open.model.get() == &engine && !open.request->has_ended()) return open.request;
  }
  return nullptr;
}

// One after the other, because a list of them would take memory.
void Engine::end_hung_requests(const ModelEngine& engine) noexcept {
  while (const std::shared_ptr<Request> request = open_request_of(engine)) {
    if (request->is_in_step()) {
      request->fail(VERNAL_DEADLINE, "The model did not answer in time.");
    } else {
      request->fail(VERNAL_UNAVAILABLE, "The model does not answer at present.");
    }
  }
}

void Engine::begin_drain() {
  const std::unique_lock lock(models_mutex_);
  is_draining_ = true;
}

std::uint64_t Engine::num_open_requests() const {
  std::uint64_t count = 0;
  for_each_engine([&](const auto& engine) { count += engine->metrics()->open_requests; });
  return count;
}

bool Engine::stop(std::chrono::milliseconds timeout) noexcept {
  {
    const std::lock_guard lock(watchdog_mutex_);
    if (is_stopped_) {
      return !has_abandoned_step_;
    }
    is_stopped_ = true;
    watchdog_wakes_.notify_all();
  }
  begin_drain();
  watchdog_.join();
  intake_.stop();
  const SteadyClock::time_point until = SteadyClock::now() + timeout;
  for_each_engine([](const auto& engine) { engine->request_stop(); });
  for_each_engine([&](const auto& engine) {
    if (!engine->join(until)) {
      log_.error("engine", "model {}: a step does not end; it is left running", engine->model().id);
      end_hung_requests(*engine);
      has_abandoned_step_ = true;
    }
  });
  return !has_abandoned_step_;
}

}  // namespace vernal
