// One answer of a model, from the request to its last event.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "stdin_repl/attention.hpp"
#include "vernal/engine_client.hpp"

namespace vernal::stdin_repl {

/// The tokens and times of an answer, as the engine measured them.
struct AnswerStats {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;  // of the prompt, reused from earlier requests
  std::uint64_t completion_tokens = 0;
  std::uint64_t decoded_tokens = 0;  // of the completion, without the first
  std::uint64_t prefill_us = 0;      // until the first token
  std::uint64_t decode_us = 0;       // of the tokens after the first
};

struct Answer {
  enum class End {
    kComplete,
    kStopped,  // by an interrupt or the end of the process; the text so far is kept
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

/// Shows the events of an answer as they come.
class AnswerPrinter {
 public:
  virtual ~AnswerPrinter() = default;
  /// Shows an event that is not the last one.
  virtual void show(const vernal_event& event) = 0;
  /// Called after the last event, also if the answer failed or was stopped.
  virtual void finish(const Answer& answer) = 0;
};

/// The figures as one line:
/// "57 tokens in 3.1 s (18.1 tokens/s); prompt 35 tokens, 20 of them reused, in 0.3 s (50.0
/// tokens/s)"
std::string describe(const AnswerStats& stats);

/// Asks for answers, one at a time. The console's thread; active() on any thread.
class AnswerClient {
 public:
  /// `attention` must outlive the object.
  AnswerClient(const EngineClient& engine, Attention& attention)
      : engine_(engine), attention_(attention) {}

  /// Sends a vernal.request/1 document and waits until its answer ends. An interrupt or the end of
  /// the process cancels it. If the core refuses the request, the answer has failed. An exception
  /// of the printer passes through, and the request is released.
  Answer ask(std::string_view model, std::string_view document, AnswerPrinter& printer);

  /// The number of requests in flight. Any thread.
  std::uint64_t active() const noexcept { return num_active_; }

 private:
  Answer follow(const EngineRequest& request, AnswerPrinter& printer);

  EngineClient engine_;
  Attention& attention_;
  std::atomic<std::uint64_t> num_active_ = 0;
};

}  // namespace vernal::stdin_repl
