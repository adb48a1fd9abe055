#include "mock_event.hpp"

#include <utility>

#include "vernal/error.hpp"

namespace vernal::openai_http::testing {
namespace {

vernal_candidate to_abi(const MockCandidate& candidate) {
  vernal_candidate out{};
  out.struct_size = sizeof(out);
  out.bytes = to_str(candidate.bytes);
  out.logprob = candidate.logprob;
  return out;
}

}  // namespace

MockEvent accepted(std::uint64_t prompt_tokens) {
  MockEvent event;
  event.type = VERNAL_EVENT_ACCEPTED;
  event.prompt_tokens = prompt_tokens;
  event.context_length = 4096;
  return event;
}

MockEvent started(std::uint64_t cached) {
  MockEvent event;
  event.type = VERNAL_EVENT_STARTED;
  event.cached_tokens = cached;
  return event;
}

MockEvent delta(std::string text, std::uint32_t choice) {
  MockEvent event;
  event.text = std::move(text);
  event.choice = choice;
  return event;
}

MockEvent choice_finished(std::uint32_t reason, std::uint32_t choice) {
  MockEvent event;
  event.type = VERNAL_EVENT_CHOICE_FINISHED;
  event.finish_reason = reason;
  event.choice = choice;
  return event;
}

MockEvent finished(std::uint64_t prompt, std::uint64_t completion, std::uint64_t cached) {
  MockEvent event;
  event.type = VERNAL_EVENT_FINISHED;
  event.prompt_tokens = prompt;
  event.completion_tokens = completion;
  event.cached_tokens = cached;
  return event;
}

MockEvent failed(std::int32_t code, std::string text, std::uint32_t http_hint) {
  MockEvent event;
  event.type = VERNAL_EVENT_ERROR;
  event.code = code;
  event.text = std::move(text);
  event.http_hint = http_hint;
  return event;
}

Script Script::hello() {
  Script script;
  script.events = {accepted(), delta("Hel"), delta("lo"), choice_finished(), finished()};
  return script;
}

Script Script::endless(std::chrono::microseconds interval) {
  Script script;
  script.events = {accepted()};
  script.interval = interval;
  script.is_endless = true;
  return script;
}

void to_abi(const MockEvent& event, EventArrays& arrays, vernal_event& out) {
  out = {};
  out.struct_size = sizeof(out);
  out.text = to_str(event.text);
  out.call_id = to_str(event.call_id);
  out.param = to_str(event.param);
  out.error_code = to_str(event.error_code);
  out.prompt_tokens = event.prompt_tokens;
  out.context_length = event.context_length;
  out.cached_tokens = event.cached_tokens;
  out.completion_tokens = event.completion_tokens;
  out.draft_tokens = event.draft_tokens;
  out.accepted_tokens = event.accepted_tokens;
  out.tokens = event.tokens.data();
  out.num_tokens = event.tokens.size();
  out.embedding = event.embedding.data();
  out.embedding_size = event.embedding.size();
  out.queued_us = 1000;
  out.prefill_us = 2000;
  out.decode_us = 4000;
  out.type = event.type;
  out.choice = event.choice;
  out.channel = event.channel;
  out.call_index = event.call_index;
  out.finish_reason = event.finish_reason;
  out.http_hint = event.http_hint;
  out.code = event.code;
  arrays = {};
  for (const auto& position : event.positions) {
    auto& candidates = arrays.candidates.emplace_back();
    for (const MockCandidate& candidate : position) candidates.push_back(to_abi(candidate));
  }
  for (const auto& candidates : arrays.candidates) {
    vernal_token_logprob position{};
    position.struct_size = sizeof(position);
    position.chosen = candidates.front();
    position.alternatives = candidates.data();
    position.num_alternatives = candidates.size();
    position.alternative_stride = sizeof(vernal_candidate);
    arrays.positions.push_back(position);
  }
  out.logprobs = arrays.positions.data();
  out.num_logprobs = arrays.positions.size();
  out.logprob_stride = sizeof(vernal_token_logprob);
}

}  // namespace vernal::openai_http::testing
