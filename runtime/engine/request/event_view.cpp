#include "engine/request/event_view.hpp"

#include <utility>

#include "vernal/error.hpp"

namespace vernal {
namespace {

vernal_candidate to_abi(const CandidateText& candidate) {
  vernal_candidate out{};
  out.struct_size = sizeof(out);
  out.bytes = to_str(candidate.bytes);
  out.logprob = candidate.logprob;
  out.token = candidate.token;
  return out;
}

}  // namespace

const vernal_event& EventView::set(Event event) {
  event_ = std::move(event);
  fill_logprobs();
  view_ = {};
  view_.struct_size = sizeof(view_);
  view_.text = to_str(event_.text);
  view_.call_id = to_str(event_.call_id);
  view_.param = to_str(event_.param);
  view_.error_code = to_str(event_.error_code);
  view_.tokens = event_.tokens.data();
  view_.num_tokens = event_.tokens.size();
  view_.logprobs = logprobs_.data();
  view_.num_logprobs = logprobs_.size();
  view_.logprob_stride = sizeof(vernal_token_logprob);
  view_.prompt_tokens = event_.prompt_tokens;
  view_.context_length = event_.context_length;
  view_.cached_tokens = event_.cached_tokens;
  view_.completion_tokens = event_.completion_tokens;
  view_.reasoning_tokens = event_.reasoning_tokens;
  view_.done = event_.done;
  view_.total = event_.total;
  view_.queued_us = event_.queued_us;
  view_.prefill_us = event_.prefill_us;
  view_.decode_us = event_.decode_us;
  view_.type = event_.type;
  view_.choice = event_.choice;
  view_.channel = event_.channel;
  view_.call_index = event_.call_index;
  view_.finish_reason = event_.finish_reason;
  view_.http_hint = event_.http_hint;
  view_.code = event_.code;
  view_.retryable = event_.is_retryable ? 1U : 0U;
  view_.embedding = event_.embedding.data();
  view_.embedding_size = event_.embedding.size();
  view_.slot = event_.slot;
  view_.draft_tokens = event_.draft_tokens;
  view_.accepted_tokens = event_.accepted_tokens;
  return view_;
}

void EventView::fill_logprobs() {
  candidates_.clear();
  logprobs_.clear();
  for (const TokenLogprob& logprob : event_.logprobs) {
    for (const CandidateText& alternative : logprob.alternatives) {
      candidates_.push_back(to_abi(alternative));
    }
  }
  std::size_t first = 0;  // candidates_ grows no more: its addresses stay
  for (const TokenLogprob& logprob : event_.logprobs) {
    vernal_token_logprob out{};
    out.struct_size = sizeof(out);
    out.chosen = to_abi(logprob.chosen);
    out.alternatives = candidates_.data() + first;
    out.num_alternatives = logprob.alternatives.size();
    out.alternative_stride = sizeof(vernal_candidate);
    first += logprob.alternatives.size();
    logprobs_.push_back(out);
  }
}

}  // namespace vernal
