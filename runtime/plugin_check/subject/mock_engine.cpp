#include "plugin_check/subject/mock_engine.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "vernal/host.hpp"
#include "vernal/tables.hpp"

namespace vernal::check {
namespace {

constexpr std::int32_t kToken = 5;
constexpr std::string_view kWord = "word ";

/// Ends a request that nobody cancelled.
std::deque<std::uint32_t> script(Mood mood) {
  if (mood == Mood::kFailing) return {VERNAL_EVENT_ACCEPTED, VERNAL_EVENT_ERROR};
  if (mood == Mood::kSilent) return {VERNAL_EVENT_ACCEPTED};
  return {VERNAL_EVENT_ACCEPTED, VERNAL_EVENT_STARTED, VERNAL_EVENT_DELTA,
          VERNAL_EVENT_DELTA,    VERNAL_EVENT_DELTA,   VERNAL_EVENT_CHOICE_FINISHED,
          VERNAL_EVENT_FINISHED};
}

vernal_event event_of(std::uint32_t type) {
  vernal_event event{};
  event.struct_size = sizeof(event);
  event.type = type;
  event.prompt_tokens = 3;
  event.context_length = 64;
  event.channel = VERNAL_CHANNEL_CONTENT;
  if (type == VERNAL_EVENT_DELTA) {
    event.text = to_str(kWord);
    event.tokens = &kToken;
    event.num_tokens = 1;
  }
  if (type == VERNAL_EVENT_CHOICE_FINISHED) event.finish_reason = VERNAL_FINISH_STOP;
  if (type == VERNAL_EVENT_FINISHED) event.completion_tokens = 3;
  if (type == VERNAL_EVENT_ERROR) {
    event.code = VERNAL_INTERNAL;
    event.text = to_str("the mock engine fails on purpose");
    event.error_code = to_str("internal_error");
    event.http_hint = 500;
  }
  return event;
}

}  // namespace

/// The tables' functions.
struct MockServices {
  static MockEngine& self(vernal_engine* e) { return *reinterpret_cast<MockEngine*>(e); }
  static MockEngine& self(vernal_console* c) { return *reinterpret_cast<MockEngine*>(c); }

  static std::int32_t list_models(vernal_engine*, const vernal_model_sink* sink) noexcept {
    vernal_model_info info{};
    info.struct_size = sizeof(info);
    info.id = to_str(kMockModel);
    info.architecture = to_str("mock");
    info.context_length = 64;
    info.vocabulary_size = 80;
    info.state = VERNAL_MODEL_READY;
    info.has_chat_template = 1;
    return sink->add(sink->user, Guarded(info).get());
  }

  static std::int32_t submit(vernal_engine* e, const vernal_submit_args* raw,
                             vernal_request_id* out) noexcept {
    return guard([&] {
      const vernal_submit_args args = copy_in(raw);
      MockEngine& engine = self(e);
      const std::lock_guard lock(engine.mutex_);
      ++engine.num_asked_;
      if (view(args.model) != kMockModel) {
        throw Error(VERNAL_NOT_FOUND, "no model \"" + std::string(view(args.model)) + "\"");
      }
      if (engine.mood_ == Mood::kBusy) throw Error(VERNAL_QUEUE_FULL, "the mock engine is busy");
      if (args.request_json.size == 0) engine.violate("submit: the request document is empty");
      const vernal_request_id id = ++engine.last_id_;
      engine.requests_[id] = {script(engine.mood_), 0, args.on_ready, args.user, false};
      engine.ready_.push_back(id);
      *out = id;
      engine.changed_.notify_all();
    });
  }

  static std::int32_t poll(vernal_engine* e, vernal_request_id id, vernal_event* out,
                           std::uint32_t* more) noexcept {
    return guard([&] {
      const std::lock_guard lock(self(e).mutex_);
      self(e).take_event(id, out, more);
    });
  }

  static std::int32_t wait(vernal_engine* e, vernal_request_id id, std::uint64_t timeout_ms,
                           vernal_event* out, std::uint32_t* more) noexcept {
    return guard([&] {
      MockEngine& engine = self(e);
      std::unique_lock lock(engine.mutex_);
      const auto has_event = [&] {
        const auto found = engine.requests_.find(id);
        return found == engine.requests_.end() || !found->second.events.empty();
      };
      engine.changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), has_event);
      engine.take_event(id, out, more);
    });
  }

  static std::int32_t cancel(vernal_engine* e, vernal_request_id id, vernal_str) noexcept {
    return guard([&] {
      MockEngine& engine = self(e);
      const std::lock_guard lock(engine.mutex_);
      const auto found = engine.requests_.find(id);
      if (found == engine.requests_.end()) throw Error(VERNAL_NOT_FOUND, "no such request");
      const std::uint32_t last = found->second.last;
      if (last == VERNAL_EVENT_FINISHED || last == VERNAL_EVENT_ERROR) return;
      found->second.events = {VERNAL_EVENT_ERROR};
      engine.ready_.push_back(id);
      engine.changed_.notify_all();
    });
  }

  static std::int32_t release(vernal_engine* e, vernal_request_id id) noexcept {
    return guard([&] {
      MockEngine& engine = self(e);
      std::unique_lock lock(engine.mutex_);
      const auto found = engine.requests_.find(id);
      if (found == engine.requests_.end()) {
        engine.violate("release: the request was released before, or never was");
        throw Error(VERNAL_NOT_FOUND, "no such request");
      }
      engine.changed_.wait(lock, [&] { return !engine.requests_.at(id).is_calling; });
      engine.requests_.erase(id);
      engine.changed_.notify_all();
    });
  }

  static std::int32_t stats(vernal_engine*, const vernal_metric_sink* sink) noexcept {
    vernal_metric metric{};
    metric.struct_size = sizeof(metric);
    metric.name = to_str("vernal_mock_requests");
    metric.help = to_str("Requests of the mock engine.");
    metric.type = VERNAL_METRIC_COUNTER;
    return sink->add(sink->user, Guarded(metric).get());
  }

  static std::int32_t health(vernal_engine*, std::uint32_t* out, const vernal_sink*) noexcept {
    *out = VERNAL_MODEL_READY;
    return VERNAL_OK;
  }

  static std::int32_t tokenize(vernal_text*, vernal_str, vernal_str input, std::uint32_t,
                               const vernal_sink* ids) noexcept {
    return input.size == 0 ? VERNAL_OK : ids->write(ids->user, &kToken, sizeof(kToken));
  }
  static std::int32_t detokenize(vernal_text*, vernal_str, const std::int32_t*, std::uint64_t,
                                 const vernal_sink* utf8) noexcept {
    return utf8->write(utf8->user, kWord.data(), kWord.size());
  }
  static std::int32_t apply_template(vernal_text*, vernal_str, vernal_str,
                                     const vernal_sink* utf8) noexcept {
    return utf8->write(utf8->user, kWord.data(), kWord.size());
  }
  static std::int32_t count(vernal_text*, vernal_str, vernal_str, std::uint64_t* out) noexcept {
    *out = 1;
    return VERNAL_OK;
  }

  static std::int32_t list_slots(vernal_engine*, vernal_str,
                                 const vernal_slot_sink* sink) noexcept {
    vernal_slot_info slot{};
    slot.struct_size = sizeof(slot);
    slot.slot = 1;
    return sink->add(sink->user, Guarded(slot).get());
  }
  static std::int32_t token_bytes(vernal_text*, vernal_str, const std::int32_t*,
                                  std::uint64_t count, const vernal_sink* bytes) noexcept {
    std::int32_t status = VERNAL_OK;
    for (std::uint64_t i = 0; i < count && status == VERNAL_OK; ++i) {
      status = bytes->write(bytes->user, kWord.data(), kWord.size());
    }
    return status;
  }
  static std::int32_t describe(vernal_text*, vernal_str, const vernal_sink* json) noexcept {
    return json->write(json->user, "{}", 2);
  }

  static std::int32_t is_terminal(vernal_console*, std::uint32_t* in, std::uint32_t* out) noexcept {
    *in = *out = 0;
    return VERNAL_OK;
  }
  static std::int32_t descriptors(vernal_console* c, std::int32_t* in, std::int32_t* out) noexcept {
    *in = self(c).console_input_;
    *out = STDOUT_FILENO;
    return VERNAL_OK;
  }
  static std::int32_t write_console(vernal_console*, vernal_str) noexcept { return VERNAL_OK; }
  static std::int32_t on_interrupt(vernal_console*, void (*)(void*), void*) noexcept {
    return VERNAL_OK;
  }
  static std::int32_t finished(vernal_console* c, std::int32_t) noexcept {
    const std::lock_guard lock(self(c).mutex_);
    self(c).console_finished_ = true;
    self(c).changed_.notify_all();
    return VERNAL_OK;
  }
};

namespace {

constexpr vernal_engine_api kEngineApi = {sizeof(vernal_engine_api), MockServices::list_models,
                                          MockServices::submit,      MockServices::poll,
                                          MockServices::wait,        MockServices::cancel,
                                          MockServices::release,     MockServices::stats,
                                          MockServices::health,      MockServices::list_slots};
constexpr vernal_text_api kTextApi = {sizeof(vernal_text_api),  MockServices::tokenize,
                                      MockServices::detokenize, MockServices::apply_template,
                                      MockServices::count,      MockServices::token_bytes,
                                      MockServices::describe};
constexpr vernal_console_api kConsoleApi = {sizeof(vernal_console_api), MockServices::is_terminal,
                                            MockServices::descriptors,  MockServices::write_console,
                                            MockServices::on_interrupt, MockServices::finished};

}  // namespace

MockEngine::MockEngine() : thread_([this] { run(); }) { set_console_input(""); }

void MockEngine::offer(plugin::CoreHost& host, std::uint64_t most_bytes) {
  const auto add = [&]<class Table>(const char* id, const Table& table) {
    const auto own =
        std::make_shared<Guarded<Table>>(table, std::min<std::uint64_t>(most_bytes, sizeof(Table)));
    tables_.push_back(own);
    host.add_service(id, own->get(), this);
  };
  add(VERNAL_SERVICE_ENGINE, kEngineApi);
  add(VERNAL_SERVICE_TEXT, kTextApi);
  add(VERNAL_SERVICE_CONSOLE, kConsoleApi);
}

void MockEngine::set_mood(Mood mood) {
  const std::lock_guard lock(mutex_);
  mood_ = mood;
}

void MockEngine::set_console_input(const std::string& text) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(VERNAL_RESOURCE_EXHAUSTED, "a pipe");
  if (::write(ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw Error(VERNAL_INTERNAL, "the console's input does not fit a pipe");
  }
  ::close(ends[1]);
  const std::lock_guard lock(mutex_);
  if (console_input_ >= 0) ::close(console_input_);
  console_input_ = ends[0];
  console_finished_ = false;
}

std::uint64_t MockEngine::num_asked() const {
  const std::lock_guard lock(mutex_);
  return num_asked_;
}

std::uint64_t MockEngine::num_submitted() const {
  const std::lock_guard lock(mutex_);
  return last_id_;
}

std::uint64_t MockEngine::num_held() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

bool MockEngine::console_has_finished() const {
  const std::lock_guard lock(mutex_);
  return console_finished_;
}

std::string MockEngine::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

void MockEngine::violate(std::string what) { violations_ += std::move(what) + "\n"; }

bool MockEngine::take_event(vernal_request_id id, vernal_event* out, std::uint32_t* more) {
  *more = 0;
  const auto found = requests_.find(id);
  if (found == requests_.end()) {
    violate("events were asked for of a request that was released");
    throw Error(VERNAL_NOT_FOUND, "no such request");
  }
  Request& request = found->second;
  vernal_event event{};
  event.struct_size = sizeof(event);
  if (!request.events.empty()) {
    request.last = request.events.front();
    request.events.pop_front();
    event = event_of(request.last);
    *more = 1;
  }
  copy_out(event, out);
  return *more != 0;
}

void MockEngine::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !ready_.empty(); });
    const vernal_request_id id = ready_.front();
    ready_.pop_front();
    const auto found = requests_.find(id);
    if (found == requests_.end() || found->second.on_ready == nullptr) continue;
    found->second.is_calling = true;
    const auto on_ready = found->second.on_ready;
    void* user = found->second.user;
    lock.unlock();
    on_ready(user, id);
    lock.lock();
    const auto still = requests_.find(id);
    if (still != requests_.end()) still->second.is_calling = false;
    changed_.notify_all();
  }
}

// It has a thread that never ends, so it is never destroyed.
MockEngine& mock_engine() {
  static auto* engine = new MockEngine;
  return *engine;
}

}  // namespace vernal::check
