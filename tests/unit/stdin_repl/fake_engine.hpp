// An engine service that answers with scripted events.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::stdin_repl {

/// One step of an answer: an action, and the event after it. Type 0 means no event.
struct ScriptedStep {
  std::uint32_t type = 0;  // VERNAL_EVENT_*
  std::string text = {};
  std::uint32_t channel = VERNAL_CHANNEL_CONTENT;
  std::uint32_t finish_reason = 0;
  std::int32_t code = VERNAL_OK;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::function<void()> before = {};
};

/// The steps of one answer. After the last step the request waits until it is cancelled.
using Script = std::vector<ScriptedStep>;

/// A script with the events "accepted", a delta for each text, and "finished".
Script answer_of(const std::vector<std::string>& texts);
/// A script that ends in an error event.
Script error_of(std::int32_t code, const std::string& text);

/// Answers each request with the next script. When no script is left, a submit is refused with
/// QUEUE_FULL. One request at a time. cancel may come from any thread.
class FakeEngine {
 public:
  FakeEngine();

  EngineClient client();

  std::vector<ModelInfo> models;
  std::deque<Script> scripts;
  std::vector<std::string> documents;    // submitted
  std::vector<std::string> model_names;  // of each submit
  int num_cancelled = 0;
  int num_released = 0;

 private:
  friend struct FakeEngineFunctions;

  std::mutex mutex_;  // guards what cancel touches
  Script script_;
  std::size_t position_ = 0;
  bool is_cancelled_ = false;
  bool has_ended_ = false;
  std::string event_text_;
  void (*on_ready_)(void* user, vernal_request_id request) = nullptr;
  void* user_ = nullptr;
};

}  // namespace vernal::stdin_repl
