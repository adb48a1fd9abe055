#include "mock_engine.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "support/failing_new/failing_new.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kQueueLimit = 64;

thread_local std::string last_error_text;

MockEngine& mock(void* object) { return *static_cast<MockEngine*>(object); }

std::int32_t fail(std::int32_t code, std::string text) {
  last_error_text = std::move(text);
  return code;
}

constexpr vernal_engine_api kEngineApi = {
    sizeof(vernal_engine_api),
    [](vernal_engine* e, const vernal_model_sink* sink) { return mock(e).list_models(*sink); },
    [](vernal_engine* e, const vernal_submit_args* args, vernal_request_id* out) {
      return mock(e).submit(*args, out);
    },
    [](vernal_engine* e, vernal_request_id id, vernal_event* out, std::uint32_t* more) {
      return mock(e).poll(id, out, more);
    },
    [](vernal_engine*, vernal_request_id, std::uint64_t, vernal_event*, std::uint32_t*) {
      return VERNAL_UNIMPLEMENTED;
    },
    [](vernal_engine* e, vernal_request_id id, vernal_str) { return mock(e).cancel(id); },
    [](vernal_engine* e, vernal_request_id id) { return mock(e).release(id); },
    [](vernal_engine* e, const vernal_metric_sink* sink) { return mock(e).stats(*sink); },
    [](vernal_engine* e, std::uint32_t* state, const vernal_sink*) {
      *state = mock(e).state();
      return VERNAL_OK;
    },
    [](vernal_engine*, vernal_str, const vernal_slot_sink* sink) {
      vernal_slot_info free{};
      free.struct_size = sizeof(free);
      free.slot = 1;
      vernal_slot_info taken = free;
      taken.slot = 2;
      taken.request = 7;
      taken.prompt_tokens = 10;
      taken.computed_tokens = 12;
      taken.generated_tokens = 3;
      taken.max_new_tokens = 16;
      const std::int32_t status = sink->add(sink->user, &free);
      return status != VERNAL_OK ? status : sink->add(sink->user, &taken);
    }};

// A vocabulary of bytes: token 65 is "A". 256 begins a sequence; 257 to 259 are the parts of a
// prompt with a gap.
constexpr std::int32_t kBeginToken = 256;
constexpr std::int32_t kLastToken = 259;
constexpr std::string_view kDescription =
    R"({"id":"tiny","chat_template":"{{ messages }}","bos_token":"<s>","eos_token":"</s>",)"
    R"("adds_bos":true,"tokens":{"infill_prefix":257,"infill_suffix":258,"infill_middle":259},)"
    R"("sampling":{"temperature":0.7,"top_k":20}})";

std::int32_t write_token(const vernal_sink* ids, std::int32_t token) {
  return ids->write(ids->user, &token, sizeof(token));
}

constexpr vernal_text_api kTextApi = {
    sizeof(vernal_text_api),
    [](vernal_text*, vernal_str, vernal_str input, std::uint32_t flags, const vernal_sink* ids) {
      const test::Spared spared;
      if ((flags & VERNAL_TEXT_ADD_SPECIAL) != 0) write_token(ids, kBeginToken);
      for (const char c : view(input)) write_token(ids, static_cast<unsigned char>(c));
      return VERNAL_OK;
    },
    [](vernal_text*, vernal_str, const std::int32_t* tokens, std::uint64_t count,
       const vernal_sink* utf8) {
      for (std::uint64_t i = 0; i < count; ++i) {
        const char c = static_cast<char>(tokens[i]);
        if (tokens[i] < kBeginToken) utf8->write(utf8->user, &c, 1);
      }
      return VERNAL_OK;
    },
    [](vernal_text*, vernal_str, vernal_str document, const vernal_sink* utf8) {
      return utf8->write(utf8->user, document.data, document.size);
    },
    [](vernal_text*, vernal_str, vernal_str document, std::uint64_t* out) {
      if (view(document).find("impossible") != std::string_view::npos) {
        return fail(VERNAL_INVALID_ARGUMENT, "the chat template refuses these messages");
      }
      *out = document.size;
      return VERNAL_OK;
    },
    [](vernal_text*, vernal_str, const std::int32_t* tokens, std::uint64_t count,
       const vernal_sink* bytes) {
      for (std::uint64_t i = 0; i < count; ++i) {
        if (tokens[i] > kLastToken) return fail(VERNAL_INVALID_ARGUMENT, "no such token in here");
        const char c = static_cast<char>(tokens[i]);
        bytes->write(bytes->user, &c, tokens[i] < kBeginToken ? 1 : 0);
      }
      return VERNAL_OK;
    },
    [](vernal_text*, vernal_str, const vernal_sink* json) {
      return json->write(json->user, kDescription.data(), kDescription.size());
    }};

constexpr vernal_host_api kHostApi = {
    sizeof(vernal_host_api),
    [](vernal_host* host, std::uint32_t level, vernal_str, vernal_str, std::uint32_t,
       vernal_str text) {
      mock(host).log(level, view(text));
      return VERNAL_OK;
    },
    [](vernal_host*, std::uint32_t* level) {
      *level = VERNAL_LOG_DEBUG;
      return VERNAL_OK;
    },
    [](vernal_host*, std::int32_t, vernal_str text) {
      const test::Spared spared;
      last_error_text = std::string(view(text));
      return VERNAL_OK;
    },
    [](vernal_host*, vernal_str* out) {
      *out = to_str(last_error_text);
      return VERNAL_OK;
    },
    [](vernal_host*, std::uint32_t* role) {
      *role = VERNAL_ROLE_UNKNOWN;
      return VERNAL_OK;
    },
    [](vernal_host*, std::uint64_t* ns) {
      *ns = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
      return VERNAL_OK;
    },
    [](vernal_host* host, vernal_str id, const void** table, void** object) {
      *object = host;
      *table = nullptr;
      if (view(id) == VERNAL_SERVICE_ENGINE) *table = &kEngineApi;
      if (view(id) == VERNAL_SERVICE_TEXT) *table = &kTextApi;
      return *table != nullptr ? VERNAL_OK : VERNAL_NOT_FOUND;
    },
    [](vernal_host*, vernal_str, const void**) { return VERNAL_NOT_FOUND; },
    [](vernal_host*, vernal_str, vernal_str) { return VERNAL_OK; }};

}  // namespace

/// One request in progress. `mutex` guards everything but the callback. The callback runs under
/// `callback_mutex`; release takes it too, so that no callback runs after it.
struct MockEngine::Request {
  vernal_request_id id = 0;
  Script script;
  std::size_t next = 0;
  Clock::time_point due = Clock::now();
  std::deque<MockEvent> queue;
  MockEvent current;  // what the last poll handed out
  EventArrays arrays;
  bool is_cancelled = false;
  bool is_over = false;
  std::mutex callback_mutex;
  bool is_released = false;
  void (*on_ready)(void*, vernal_request_id) = nullptr;
  void* user = nullptr;
};

MockEngine::MockEngine() : thread_([this] { run(); }) { play(Script::hello()); }

MockEngine::~MockEngine() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MockEngine::on_submit(std::function<Script(const RequestRecord&)> choose) {
  const std::lock_guard lock(mutex_);
  choose_ = std::move(choose);
}

void MockEngine::play(const Script& script) {
  on_submit([script](const RequestRecord&) { return script; });
}

std::vector<RequestRecord> MockEngine::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

void MockEngine::log(std::uint32_t level, std::string_view text) {
  const test::Spared spared;
  const std::lock_guard lock(mutex_);
  log_.emplace_back(level, text);
}

std::vector<std::string> MockEngine::logged(std::uint32_t level) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [of, text] : log_) {
    if (of == level) lines.push_back(text);
  }
  return lines;
}

std::uint64_t MockEngine::num_live() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

bool MockEngine::wait_until_idle(std::chrono::milliseconds limit) const {
  const auto deadline = Clock::now() + limit;
  while (num_live() > 0) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

const vernal_host_api* MockEngine::host_api() const noexcept { return &kHostApi; }

void MockEngine::run() {
  const test::Spared spared;
  Lock lock(mutex_);
  while (!is_stopping_) {
    std::vector<std::shared_ptr<Request>> ready;
    for (const auto& [id, request] : requests_) {
      if (step(request)) ready.push_back(request);
    }
    lock.unlock();
    for (const auto& request : ready) {
      const std::lock_guard callback_lock(request->callback_mutex);
      if (!request->is_released && request->on_ready) request->on_ready(request->user, request->id);
    }
    lock.lock();
    if (ready.empty()) changed_.wait_for(lock, 1ms);
  }
}

/// Takes the next step of the script. Returns whether an event was queued.
bool MockEngine::step(const std::shared_ptr<Request>& request) {
  if (request->is_over) return false;
  if (request->is_cancelled) {
    request->queue.push_back(failed(VERNAL_CANCELLED, "the request was cancelled"));
    request->is_over = true;
    return true;
  }
  if (Clock::now() < request->due || request->queue.size() >= kQueueLimit) return false;
  const Script& script = request->script;
  const bool has_next = request->next < script.events.size();
  if (!has_next && !script.is_endless) return false;
  request->queue.push_back(has_next ? script.events[request->next] : delta("tick "));
  ++request->next;
  ++num_produced_;
  request->due = Clock::now() + script.interval;
  const std::uint32_t type = request->queue.back().type;
  request->is_over = type == VERNAL_EVENT_FINISHED || type == VERNAL_EVENT_ERROR;
  return true;
}

std::int32_t MockEngine::list_models(const vernal_model_sink& sink) const {
  const test::Spared spared;
  for (const char* const name : {"tiny", "org/other:1", "claude-*"}) {
    vernal_model_info info{};
    info.struct_size = sizeof(info);
    info.id = to_str(name);
    info.architecture = to_str("llama");
    info.context_length = 4096;
    info.created = 1'700'000'000;
    info.vocabulary_size = 32000;
    info.state = state_;
    info.has_chat_template = 1;
    info.num_slots = 2;
    info.embedding_size = 3;
    if (std::string_view(name) == "tiny") info.aliases = to_str("small\nother name");
    const std::int32_t status = sink.add(sink.user, &info);
    if (status != VERNAL_OK) return status;
  }
  return VERNAL_OK;
}

std::int32_t MockEngine::submit(const vernal_submit_args& args, vernal_request_id* out) {
  const test::Spared spared;
  RequestRecord record{std::string(view(args.model)), std::string(view(args.request_json)), {}};
  record.tokens.assign(args.tokens, args.tokens + args.num_tokens);
  const Lock lock(mutex_);
  Script script = choose_(record);
  records_.push_back(std::move(record));
  if (script.submit_status != VERNAL_OK) return fail(script.submit_status, script.submit_text);
  auto request = std::make_shared<Request>();
  request->id = ++last_id_;
  request->script = std::move(script);
  request->on_ready = args.on_ready;
  request->user = args.user;
  *out = request->id;
  requests_.emplace(request->id, std::move(request));
  changed_.notify_all();
  return VERNAL_OK;
}

std::int32_t MockEngine::poll(vernal_request_id id, vernal_event* out, std::uint32_t* more) {
  const test::Spared spared;
  const Lock lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return fail(VERNAL_NOT_FOUND, "no such request");
  Request& request = *found->second;
  *more = request.queue.empty() ? 0 : 1;
  if (*more == 0) return VERNAL_OK;
  request.current = std::move(request.queue.front());
  request.queue.pop_front();
  to_abi(request.current, request.arrays, *out);
  return VERNAL_OK;
}

std::int32_t MockEngine::cancel(vernal_request_id id) {
  const Lock lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end() || found->second->is_over) return VERNAL_OK;
  if (!std::exchange(found->second->is_cancelled, true)) ++num_cancelled_;
  changed_.notify_all();
  return VERNAL_OK;
}

std::int32_t MockEngine::release(vernal_request_id id) {
  const test::Spared spared;
  std::shared_ptr<Request> request;
  {
    const Lock lock(mutex_);
    const auto found = requests_.find(id);
    if (found == requests_.end()) return VERNAL_NOT_FOUND;
    request = std::move(found->second);
    requests_.erase(found);
    if (!request->is_over && !request->is_cancelled) ++num_cancelled_;
  }
  const std::lock_guard callback_lock(request->callback_mutex);
  request->is_released = true;
  return VERNAL_OK;
}

std::int32_t MockEngine::stats(const vernal_metric_sink& sink) const {
  vernal_metric metric{};
  metric.struct_size = sizeof(metric);
  metric.name = to_str("vernal_requests_running");
  metric.help = to_str("Requests in a slot.");
  metric.labels = to_str("model=\"tiny\"");
  metric.value = static_cast<double>(num_live());
  metric.type = VERNAL_METRIC_GAUGE;
  return sink.add(sink.user, &metric);
}

}  // namespace vernal::openai_http::testing
