// One answer of a model, from the request to the terminal event.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "stdin_repl/attention.hpp"
#include "vernal/engine_client.hpp"

namespace vernal::stdin_repl {

/// What an answer cost, as the engine measured it.
struct AnswerStats {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;  // of the prompt, taken from earlier requests
  std::uint64_t completion_tokens = 0;
  std::uint64_t decoded_tokens = 0;  // of the completion, without the first
  std::uint64_t prefill_us = 0;      // until the first token
  std::uint64_t decode_us = 0;       // of the tokens after the first
};

struct Answer {
  enum class End {
    kComplete,
    kStopped,  // by an interrupt or the end of the process; what came so far is there
    kFailed,
  };
  End end = End::kFailed;
  std::string content;
  std::string reasoning;
  std::uint32_t finish_reason = 0;  // VERNAL_FINISH_*; kComplete
  AnswerStats stats;                // kComplete
  std::int32_t code = VERNAL_OK;    // kFailed
  std::string error;                // kFailed: the core's text
};

/// Takes the events of an answer while they come.
class AnswerPrinter {
 public:
  virtual ~AnswerPrinter() = default;
  /// Events before the terminal one.
  virtual void show(const vernal_event& event) = 0;
  /// After the last event, however the answer ended.
  virtual void finish(const Answer& answer) = 0;
};

/// "57 tokens in 3.1 s (18.1 tokens/s); prompt 35 tokens, 20 of them reused, in 0.3 s (50.0
/// tokens/s)"
std::string describe(const AnswerStats& stats);

/// Asks for answers, one at a time. The console's thread, but for active().
class AnswerClient {
 public:
  /// `attention` outlives the object.
  AnswerClient(const EngineClient& engine, Attention& attention)
      : engine_(engine), attention_(attention) {}

  /// Sends a vernal.request/1 document and waits for its end. An interrupt cancels it, and so does
  /// the end of the process. A refusal is an answer that failed. Throws what the printer throws;
  /// the request is abandoned then.
  Answer ask(std::string_view model, std::string_view document, AnswerPrinter& printer);

  /// Requests in flight. Any thread.
  std::uint64_t active() const noexcept { return num_active_; }

 private:
  Answer follow(const EngineRequest& request, AnswerPrinter& printer);

  EngineClient engine_;
  Attention& attention_;
  std::atomic<std::uint64_t> num_active_ = 0;
};

}  // namespace vernal::stdin_repl
