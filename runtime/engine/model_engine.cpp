#include "engine/model_engine.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "plugin/core_host.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// Why a model takes no requests, for their clients.
constexpr const char* kStopping = "The server is stopping.";
constexpr const char* kUnavailable = "The model is not available.";

}  // namespace

std::shared_ptr<ModelEngine> ModelEngine::start(LoadedModel model, Clock clock) {
  std::shared_ptr<ModelEngine> engine(new ModelEngine(std::move(model), std::move(clock)));
  engine->thread_ = std::thread([self = engine] { self->run(); });
  std::unique_lock lock(engine->mutex_);
  engine->changed_.wait(lock, [&] { return engine->status_.state != VERNAL_MODEL_LOADING; });
  if (engine->status_.state == VERNAL_MODEL_FAILED) {
    lock.unlock();
    engine->request_stop();
    engine->thread_.join();
    throw Error(VERNAL_UNAVAILABLE, engine->status_.reason);
  }
  return engine;
}

ModelEngine::ModelEngine(LoadedModel model, Clock clock)
    : model_(std::move(model)),
      prompts_(model_.tokenizer,
               {model_.chat_template, model_.tool_use_template, model_.chat_template_problem},
               std::move(clock)),
      grammars_(*model_.tokenizer),
      answers_({model_.chat_template, model_.tool_use_template, {}}, model_.tool_syntax,
               *model_.tokenizer),
      signal_(std::make_shared<WakeSignal>()),
      metrics_(std::make_shared<EngineMetrics>()),
      board_(model_.slots),
      status_{VERNAL_MODEL_LOADING, {}} {}

ModelEngine::~ModelEngine() = default;

bool ModelEngine::has_full_queue() const noexcept {
  const std::uint64_t open = metrics_->open_requests;
  const std::uint64_t running = metrics_->running_requests;
  const std::uint64_t taken = metrics_->seated_choices;
  const std::uint64_t waiting = open - std::min(open, running);
  const std::uint64_t free_slots = model_.slots - std::min<std::uint64_t>(model_.slots, taken);
  return waiting >= model_.limits.max_queue + free_slots;
}

void ModelEngine::accept(PreparedRequest prepared) {
  bool is_stopping = false;
  {
    const std::lock_guard lock(mutex_);
    is_stopping = must_stop_;
    if (status_.state == VERNAL_MODEL_READY && !is_stopping) {
      inbox_.push_back(std::move(prepared));
      signal_->notify();
      return;
    }
  }
  prepared.request->fail(VERNAL_UNAVAILABLE, is_stopping ? kStopping : kUnavailable);
}

ModelStatus ModelEngine::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::string ModelEngine::start_warning() const {
  const std::lock_guard lock(mutex_);
  return start_warning_;
}

void ModelEngine::request_stop() {
  const std::lock_guard lock(mutex_);
  must_stop_ = true;
  signal_->notify();
}

bool ModelEngine::join(SteadyClock::time_point until) {
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, until, [this] { return has_exited_; })) {
      thread_.detach();
      return false;
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  return true;
}

void ModelEngine::run() {
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  try {
    model_.steps->open();
    EngineLoop loop(model_, {*metrics_, watch_, board_});
    {
      std::string warning = loop.settings_without_effect();
      const std::lock_guard lock(mutex_);
      start_warning_ = std::move(warning);
    }
    set_status({VERNAL_MODEL_READY, {}});
    serve(loop);
  } catch (const std::bad_alloc&) {
    fail("out of memory");
  } catch (const std::exception& error) {
    fail(error.what());
  }
  model_.steps.reset();
  const std::lock_guard lock(mutex_);
  has_exited_ = true;
  changed_.notify_all();
}

void ModelEngine::serve(EngineLoop& loop) {
  try {
    while (take_inbox(loop)) {
      if (!loop.advance()) {
        signal_->wait(loop.next_deadline());
      }
    }
    loop.fail_all(Error(VERNAL_UNAVAILABLE, kStopping));
    close_inbox(kStopping);
  } catch (const std::exception& error) {
    loop.fail_all(error);
    throw;
  }
}

bool ModelEngine::take_inbox(EngineLoop& loop) {
  std::vector<PreparedRequest> arrived;
  {
    const std::lock_guard lock(mutex_);
    if (must_stop_) {
      return false;
    }
    arrived.swap(inbox_);
  }
  for (PreparedRequest& prepared : arrived) {
    const std::shared_ptr<Request> request = prepared.request;
    try {
      loop.add(std::move(prepared));
    } catch (const std::exception& error) {
      request->fail(error);  // no memory for it; the others go on
    }
  }
  return true;
}

void ModelEngine::set_status(ModelStatus status) noexcept {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
  changed_.notify_all();
}

void ModelEngine::fail(const char* reason) noexcept {
  ModelStatus status{VERNAL_MODEL_FAILED, {}};
  try {
    status.reason = reason;
  } catch (const std::bad_alloc&) {
    status.reason = "out of memory";  // short enough to need none
  }
  set_status(std::move(status));
  close_inbox(kUnavailable);
}

void ModelEngine::close_inbox(const char* reason) noexcept {
  std::vector<PreparedRequest> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(inbox_);
  }
  for (const PreparedRequest& prepared : waiting) {
    prepared.request->fail(VERNAL_UNAVAILABLE, reason);
  }
}

}  // namespace vernal
