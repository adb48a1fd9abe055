// An engine service that repeats what it is told, slowly enough to read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "vernal/engine_client.hpp"

namespace vernal::stdin_repl {

/// Has one model, "echo". It answers with the last message or the prompt, word by word, on a thread
/// of its own. If the question has the word "count", it answers with numbers and does not end. One
/// request at a time.
class EchoEngine {
 public:
  EngineClient client();
  ~EchoEngine();

 private:
  friend struct EchoEngineFunctions;

  struct QueuedEvent {
    std::uint32_t type = 0;
    std::string text;
  };
  void answer(const std::string& question);
  void push(QueuedEvent event);
  bool pause();

  std::mutex mutex_;  // guards all but the thread and the callback
  std::condition_variable changed_;
  std::deque<QueuedEvent> events_;
  QueuedEvent current_;
  bool is_cancelled_ = false;
  std::uint64_t num_words_ = 0;
  std::thread thread_;
  void (*on_ready_)(void* user, vernal_request_id request) = nullptr;
  void* user_ = nullptr;
};

}  // namespace vernal::stdin_repl
