// An engine without a model: it offers frontends the services of the core, answers every request
// with the same words, and notes what a frontend does that it must not.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugin/core_host.hpp"
#include "vernal/abi/frontend.h"

namespace vernal::check {

/// How the engine treats its clients.
enum class Mood {
  kWilling,  ///< answers
  kBusy,     ///< QUEUE_FULL for every submit
  kFailing,  ///< every request ends with an error
  kSilent,   ///< accepts, then says nothing more until it is cancelled
};

/// Any thread. Outlives the plugin: it is never destroyed while the process runs.
class MockEngine {
 public:
  MockEngine();
  MockEngine(const MockEngine&) = delete;
  MockEngine& operator=(const MockEngine&) = delete;

  /// Offers the engine, text and console services. Memory behind their tables is unreadable.
  ///   most_bytes   of each table; one that is cut so must be refused
  void offer(plugin::CoreHost& host, std::uint64_t most_bytes = UINT64_MAX);
  void set_mood(Mood mood);
  /// What stands on the console's input; afterwards it ends. Call before the frontend starts.
  void set_console_input(const std::string& text);

  /// Submits, refused ones too.
  std::uint64_t num_asked() const;
  std::uint64_t num_submitted() const;
  /// Requests that were not released.
  std::uint64_t num_held() const;
  bool console_has_finished() const;
  /// The rules that a frontend broke, one a line.
  std::string violations() const;

 private:
  friend struct MockServices;

  struct Request {
    std::deque<std::uint32_t> events;  // types to come
    std::uint32_t last = 0;            // type of the event given last
    void (*on_ready)(void*, vernal_request_id) = nullptr;
    void* user = nullptr;
    bool is_calling = false;  // its on_ready runs now
  };

  void run();
  bool take_event(vernal_request_id id, vernal_event* out, std::uint32_t* more);
  void violate(std::string what);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Mood mood_ = Mood::kWilling;
  std::map<vernal_request_id, Request> requests_;
  std::deque<vernal_request_id> ready_;  // whose on_ready is to be called
  vernal_request_id last_id_ = 0;
  std::uint64_t num_asked_ = 0;
  std::string violations_;
  std::vector<std::shared_ptr<void>> tables_;  // what was offered
  int console_input_ = -1;
  bool console_finished_ = false;
  std::thread thread_;  // the core's: calls on_ready
};

/// The only mock engine of this process.
MockEngine& mock_engine();

}  // namespace vernal::check
