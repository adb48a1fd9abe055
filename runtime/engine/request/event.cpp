#include "engine/request/event.hpp"

namespace vernal {

std::size_t Event::num_bytes() const noexcept {
  std::size_t bytes =
      sizeof(Event) + text.size() + call_id.size() + tokens.size() * sizeof(TokenId);
  for (const TokenLogprob& logprob : logprobs) {
    bytes += sizeof(TokenLogprob) + logprob.alternatives.size() * sizeof(CandidateText);
  }
  return bytes;
}

}  // namespace vernal
