// A core for the tests of the HTTP frontend: a host, an engine service and a text service with
// scripts.
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
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mock_event.hpp"
#include "vernal/abi/frontend.h"
#include "vernal/abi/host.h"

namespace vernal::openai_http::testing {

/// What a test may read about a request after it was sent.
struct RequestRecord {
  std::string model;
  std::string document;
  std::vector<std::int32_t> tokens;
};

/// Runs scripts on a thread of its own. Queues hold at most 64 events, so that a client that does
/// not read pauses only its own request. Any thread.
class MockEngine {
 public:
  MockEngine();
  ~MockEngine();
  MockEngine(const MockEngine&) = delete;
  MockEngine& operator=(const MockEngine&) = delete;

  /// Sets the function that chooses the script of each request.
  void on_submit(std::function<Script(const RequestRecord&)> choose);
  void play(const Script& script);
  void set_state(std::uint32_t state) { state_ = state; }
  std::vector<RequestRecord> records() const;
  /// What was logged at this level, in order.
  std::vector<std::string> logged(std::uint32_t level) const;
  std::uint64_t num_live() const;  // submitted and not released
  std::uint64_t num_cancelled() const { return num_cancelled_; }
  std::uint64_t num_produced() const { return num_produced_; }

  /// Waits until there is no request. False after `limit`.
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
  // The host table calls this.
  void log(std::uint32_t level, std::string_view text);

 private:
  struct Request;
  using Lock = std::unique_lock<std::mutex>;

  void run();
  bool step(const std::shared_ptr<Request>& request);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<vernal_request_id, std::shared_ptr<Request>> requests_;
  std::vector<RequestRecord> records_;
  std::vector<std::pair<std::uint32_t, std::string>> log_;
  std::function<Script(const RequestRecord&)> choose_;
  std::atomic<std::uint32_t> state_ = VERNAL_MODEL_READY;
  std::atomic<std::uint64_t> num_cancelled_ = 0;
  std::atomic<std::uint64_t> num_produced_ = 0;
  vernal_request_id last_id_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vernal::openai_http::testing
