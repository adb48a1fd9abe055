// What a request tells its client, in the order of vernal/abi/frontend.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "vernal/abi/frontend.h"
#include "vernal/abi/status.h"

namespace vernal {

/// A token's log-probability, with the bytes it stands for.
struct CandidateText {
  TokenId token = kNoToken;
  double logprob = 0.0;  ///< natural logarithm
  std::string bytes;     ///< may be a part of a UTF-8 character
};

/// One generated token with its alternatives, best first.
struct TokenLogprob {
  CandidateText chosen;
  std::vector<CandidateText> alternatives;
};

/// One event. Which members count for which type is said in vernal/abi/frontend.h.
struct Event {
  std::uint32_t type = 0;  ///< VERNAL_EVENT_*
  std::uint32_t choice = 0;
  std::uint32_t channel = 0;        ///< VERNAL_CHANNEL_*
  std::uint32_t call_index = 0;     ///< of a call, in its choice
  std::uint32_t finish_reason = 0;  ///< VERNAL_FINISH_*
  std::uint32_t http_hint = 0;
  std::int32_t code = VERNAL_OK;
  bool is_retryable = false;
  std::string text;  ///< whole UTF-8 characters
  std::string param;
  std::string error_code;
  std::string call_id;  ///< of a call
  std::vector<TokenId> tokens;
  std::vector<TokenLogprob> logprobs;
  std::vector<float> embedding;
  std::uint64_t slot = 0;  ///< from 1; 0: none
  std::uint64_t prompt_tokens = 0;
  std::uint64_t context_length = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t reasoning_tokens = 0;
  std::uint64_t draft_tokens = 0;
  std::uint64_t accepted_tokens = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t queued_us = 0;   ///< until its first seat
  std::uint64_t prefill_us = 0;  ///< from there to the first token
  std::uint64_t decode_us = 0;   ///< from the first token to the last; 0 for a single token

  /// Whether it ends the request.
  bool is_terminal() const noexcept {
    return type == VERNAL_EVENT_FINISHED || type == VERNAL_EVENT_ERROR;
  }
  /// About how much memory its contents take.
  std::size_t num_bytes() const noexcept;
};

}  // namespace vernal
