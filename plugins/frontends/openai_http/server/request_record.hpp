// What one request came to, for the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openai_http/http/asio.hpp"
#include "vernal/abi/frontend.h"
#include "vernal/json/log_event.hpp"

namespace vernal::openai_http {

/// Gathers what is known of a request while it is answered, and writes it as one event of the log.
/// Loop of the connection only.
class RequestRecord {
 public:
  std::string id;       // "req_..."
  std::string client;   // "127.0.0.1:50412"
  std::string method;   // as sent
  std::string path;     // as sent
  std::string model;    // as asked for, or the one that was chosen
  unsigned status = 0;  // of HTTP; 0: no answer was begun
  std::string error;    // code of the error; empty: none
  bool is_streamed = false;

  /// A prompt of the request is on its way to the engine. Events name it by its number.
  void add_prompt() { prompts_.emplace_back(); }

  /// Any event of prompt number `prompt`.
  void on_event(std::size_t prompt, const vernal_event& event);

  /// The event of the log (vernal/abi/host.h, `log`): {"event":"request","id","client","model",
  /// "endpoint","status","stream","prompt_tokens","cached_tokens","generated_tokens","queue_ms",
  /// "prefill_ms","decode_ms","total_ms","finish","error"}. What does not apply is null. Counts and
  /// times of several prompts are added up. Of a request that was broken off, tokens are those that
  /// had come, and times are measured here.
  std::string to_event() const;

 private:
  struct Prompt {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t generated_tokens = 0;
    std::uint64_t queued_us = 0;
    std::uint64_t prefill_us = 0;
    std::uint64_t decode_us = 0;
    std::optional<TimePoint> started;
    std::optional<TimePoint> first_token;
    bool is_finished = false;
  };
  static void measure(Prompt& prompt, TimePoint now);
  void add_generation(LogEvent& event) const;

  TimePoint begin_ = Clock::now();
  std::vector<Prompt> prompts_;
  std::string finish_;  // reasons of the choices, "stop,length"
};

}  // namespace vernal::openai_http
