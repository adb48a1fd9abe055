// Events and scripts of the mock core.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "vernal/abi/frontend.h"

namespace vernal::openai_http::testing {

/// One candidate of a position.
struct MockCandidate {
  std::string bytes;
  double logprob = -0.5;
};

/// An event that owns the data that a vernal_event borrows.
struct MockEvent {
  std::uint32_t type = VERNAL_EVENT_DELTA;
  std::string text;
  std::uint32_t choice = 0;
  std::uint32_t channel = VERNAL_CHANNEL_CONTENT;
  std::uint32_t call_index = 0;
  std::string call_id;
  std::uint32_t finish_reason = VERNAL_FINISH_STOP;
  std::vector<std::vector<MockCandidate>> positions;  // first of each: the chosen one
  std::vector<std::int32_t> tokens;
  std::vector<float> embedding;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t draft_tokens = 0;
  std::uint64_t accepted_tokens = 0;
  std::uint64_t context_length = 0;
  std::int32_t code = VERNAL_OK;
  std::uint32_t http_hint = 0;
  std::string error_code;
  std::string param;
};

MockEvent accepted(std::uint64_t prompt_tokens = 10);
MockEvent started(std::uint64_t cached = 4);
MockEvent delta(std::string text, std::uint32_t choice = 0);
MockEvent choice_finished(std::uint32_t reason = VERNAL_FINISH_STOP, std::uint32_t choice = 0);
MockEvent finished(std::uint64_t prompt = 10, std::uint64_t completion = 2,
                   std::uint64_t cached = 4);
MockEvent failed(std::int32_t code, std::string text, std::uint32_t http_hint = 0);

/// The steps of one request.
struct Script {
  std::int32_t submit_status = VERNAL_OK;
  std::string submit_text;
  std::vector<MockEvent> events;
  std::chrono::microseconds interval{0};  // between events
  bool is_endless = false;                // after the events: "tick " until cancelled

  /// The events ACCEPTED, deltas "Hel" and "lo", CHOICE_FINISHED, FINISHED.
  static Script hello();
  /// ACCEPTED, then a piece of text every `interval` until the request is cancelled.
  static Script endless(std::chrono::microseconds interval);
};

/// The arrays to which the logprobs of a vernal_event point.
struct EventArrays {
  std::vector<vernal_token_logprob> positions;
  std::vector<std::vector<vernal_candidate>> candidates;
};
/// Fills `out` with an event. `out` borrows from `event` and from `arrays`.
void to_abi(const MockEvent& event, EventArrays& arrays, vernal_event& out);

}  // namespace vernal::openai_http::testing
