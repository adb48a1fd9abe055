// A core for the tests of the HTTP frontend: host, engine service and text service, scripted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "vernal/abi/frontend.h"
#include "vernal/abi/host.h"

namespace vernal::openai_http::testing {

/// One candidate of a position.
struct MockCandidate {
  std::string bytes;
  double logprob = -0.5;
};

/// An event that owns what vernal_event borrows.
struct MockEvent {
  std::uint32_t type = VERNAL_EVENT_DELTA;
  std::string text;
  std::uint32_t choice = 0;
  std::uint32_t channel = VERNAL_CHANNEL_CONTENT;
  std::uint32_t call_index = 0;
  std::string call_id;
  std::uint32_t finish_reason = VERNAL_FINISH_STOP;
  std::vector<std::vector<MockCandidate>> positions;  // first of each: the chosen one
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t context_length = 0;
  std::int32_t code = VERNAL_OK;
  std::uint32_t http_hint = 0;
  std::string error_code;
  std::string param;
};

MockEvent accepted(std::uint64_t prompt_tokens = 10);
MockEvent delta(std::string text, std::uint32_t choice = 0);
MockEvent choice_finished(std::uint32_t reason = VERNAL_FINISH_STOP, std::uint32_t choice = 0);
MockEvent finished(std::uint64_t prompt = 10, std::uint64_t completion = 2,
                   std::uint64_t cached = 4);
MockEvent failed(std::int32_t code, std::string text, std::uint32_t http_hint = 0);

/// What happens to one request.
struct Script {
  std::int32_t submit_status = VERNAL_OK;
  std::string submit_text;
  std::vector<MockEvent> events;
  std::chrono::microseconds interval{0};  // between events
  bool is_endless = false;                // after the events: "tick " until cancelled

  /// ACCEPTED, "Hel", "lo", CHOICE_FINISHED, FINISHED.
  static Script hello();
  /// ACCEPTED, then text until the request is cancelled, one piece every `interval`.
  static Script endless(std::chrono::microseconds interval);
};

/// What a test may ask about a request afterwards.
struct RequestRecord {
  std::string model;
  std::string document;
  std::vector<std::int32_t> tokens;
};

/// Plays scripts on a thread of its own, with queues of at most 64 events: a client that does not
/// read pauses its own request. Any thread.
class MockEngine {
 public:
  MockEngine();
  ~MockEngine();
  MockEngine(const MockEngine&) = delete;
  MockEngine& operator=(const MockEngine&) = delete;

  /// Chooses the script of each request by its record.
  void on_submit(std::function<Script(const RequestRecord&)> choose);
  void play(const Script& script);
  void set_state(std::uint32_t state) { state_ = state; }
  std::vector<RequestRecord> records() const;
  std::uint64_t num_live() const;  // submitted and not released
  std::uint64_t num_cancelled() const { return num_cancelled_; }
  std::uint64_t num_produced() const { return num_produced_; }

  /// Waits until no request lives; false after `limit`.
  bool wait_until_idle(std::chrono::milliseconds limit) const;

  const vernal_host_api* host_api() const noexcept;
  vernal_host* host() noexcept { return reinterpret_cast<vernal_host*>(this); }

  // The service tables call these.
  std::int32_t list_models(const vernal_model_sink& sink) const;
  std::int32_t submit(const vernal_submit_args& args, vernal_request_id* out);
  std::int32_t poll(vernal_request_id id, vernal_event* out, std::uint32_t* more);
  std::int32_t cancel(vernal_request_id id);
  std::int32_t release(vernal_request_id id);
  std::int32_t stats(const vernal_metric_sink& sink) const;
  std::uint32_t state() const noexcept { return state_; }

 private:
  struct Request;
  using Lock = std::unique_lock<std::mutex>;

  void run();
  bool step(const std::shared_ptr<Request>& request);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<vernal_request_id, std::shared_ptr<Request>> requests_;
  std::vector<RequestRecord> records_;
  std::function<Script(const RequestRecord&)> choose_;
  std::atomic<std::uint32_t> state_ = VERNAL_MODEL_READY;
  std::atomic<std::uint64_t> num_cancelled_ = 0;
  std::atomic<std::uint64_t> num_produced_ = 0;
  vernal_request_id last_id_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

/// Fills `out` with what `event` holds, borrowing from it; `arrays` keeps the logprobs.
struct EventArrays {
  std::vector<vernal_token_logprob> positions;
  std::vector<std::vector<vernal_candidate>> candidates;
};
void to_abi(const MockEvent& event, EventArrays& arrays, vernal_event& out);

}  // namespace vernal::openai_http::testing
