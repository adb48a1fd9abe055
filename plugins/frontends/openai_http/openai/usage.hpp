// Token counts, timings, finish reasons and log probabilities in the OpenAI shapes.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string_view>

#include "vernal/abi/frontend.h"

namespace vernal::openai_http {

/// Sums over the prompts of one answer.
class Usage {
 public:
  /// num_choices   of each prompt
  explicit Usage(std::uint32_t num_choices) : num_choices_(num_choices) {}

  /// Adds what a FINISHED event says.
  void add(const vernal_event& finished) noexcept;

  /// {prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details{cached_tokens},
  /// completion_tokens_details{reasoning_tokens, and of guesses ahead accepted_prediction_tokens and
  /// rejected_prediction_tokens}}; prompt_tokens counts cached ones too.
  boost::json::object to_json() const;

  /// The same as {input_tokens, input_tokens_details{cached_tokens, cache_write_tokens},
  /// output_tokens, output_tokens_details{reasoning_tokens}, total_tokens}. Nothing is written to a
  /// cache at a price: cache_write_tokens is 0.
  boost::json::object to_response_json() const;

  /// {cache_n, prompt_n, prompt_ms, prompt_per_second, predicted_n, predicted_ms,
  /// predicted_per_second, and with guesses ahead draft_n, draft_n_accepted}; prompt_n counts what was computed, without the cached tokens.
  /// The first token of a choice comes out of the prompt's computation, so predicted_per_second is
  /// of the tokens after it, and 0 if there are none. predicted_n counts all.
  boost::json::object timings() const;

 private:
  std::uint32_t num_choices_;
  std::uint64_t prompt_tokens_ = 0;
  std::uint64_t cached_tokens_ = 0;
  std::uint64_t completion_tokens_ = 0;
  std::uint64_t reasoning_tokens_ = 0;
  std::uint64_t draft_tokens_ = 0;
  std::uint64_t accepted_tokens_ = 0;
  std::uint64_t decoded_tokens_ = 0;  // generated after the first of their choice
  std::uint64_t prefill_us_ = 0;
  std::uint64_t decode_us_ = 0;
};

/// The timings so far, of a DELTA event: as Usage::timings().
boost::json::object timings_so_far(const vernal_event& delta, std::uint32_t num_choices);

/// How much of the prompt is done, of a STARTED, PROGRESS or DELTA event, as llama-server's clients
/// know it: {total, cache, processed, time_ms}; `processed` counts cached tokens too.
boost::json::object prompt_progress(const vernal_event& event);

/// "stop", "length", "tool_calls" or "content_filter" for a VERNAL_FINISH_* value.
std::string_view finish_reason_name(std::uint32_t reason) noexcept;

/// The positions of a DELTA event as chat clients read them: {token, logprob, bytes, top_logprobs}.
boost::json::array chat_logprobs(const vernal_event& event, std::uint32_t num_alternatives);

/// The positions as completion clients read them, gathered over the prompt, if it is echoed, and the
/// deltas of one choice. The first token of a prompt has null.
class CompletionLogprobs {
 public:
  /// The choice begins with `text`, as the client sent it. The first tokens may differ from its beginning:
  /// one that the model wants before every text, a space that its tokenizer puts there.
  void begin_with(std::string_view text) { beginning_ = text; }
  void add(const vernal_event& event, std::uint32_t num_alternatives);
  /// {tokens, token_logprobs, top_logprobs, text_offset} of what was added since the last call.
  /// Offsets are in characters from the beginning of the choice.
  boost::json::object take();

 private:
  /// What of the token's bytes is text of the choice.
  std::string_view in_text(std::string_view bytes);

  std::string beginning_;  // until a token of it has come
  bool may_precede_text_ = true;
  boost::json::array tokens_;
  boost::json::array token_logprobs_;
  boost::json::array top_logprobs_;
  boost::json::array text_offset_;
  std::int64_t offset_ = 0;
};

}  // namespace vernal::openai_http
