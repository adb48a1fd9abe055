#include "openai_http/openai/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <string>

#include "openai_http/protocol/text_safety.hpp"
#include "vernal/engine_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// JSON has no infinity; this is what clients of the API know for "never".
constexpr double kImpossible = -9999.0;

double finite_logprob(double logprob) {
  return std::isfinite(logprob) ? std::min(logprob, 0.0) : kImpossible;
}

double per_second(std::uint64_t count, std::uint64_t us) {
  return us == 0 ? 0.0 : static_cast<double>(count) * 1e6 / static_cast<double>(us);
}

json::object chat_candidate(const vernal_candidate& candidate) {
  json::array bytes;
  for (const char c : view(candidate.bytes)) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", to_valid_utf8(view(candidate.bytes))},
          {"logprob", finite_logprob(candidate.logprob)},
          {"bytes", std::move(bytes)}};
}

/// Characters that begin in these bytes, which may be a part of one.
std::int64_t count_characters(std::string_view utf8) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return std::count_if(utf8.begin(), utf8.end(), begins);
}

/// A token as completion clients know it: its text, or, if it is no whole character,
/// "bytes:\xe2\x82" with every byte in hexadecimal.
std::string completion_token(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string out = "bytes:";
  for (const char c : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// Keys of one position's alternatives. Two tokens of the same text have the second one's id for a
/// key, so that none is lost.
json::object completion_alternatives(const vernal_token_logprob& position,
                                     std::uint32_t num_alternatives) {
  json::object out;
  for (const vernal_candidate& candidate : alternatives_of(position)) {
    if (out.size() == num_alternatives) break;
    std::string key = completion_token(view(candidate.bytes));
    if (out.contains(key)) key = fmt::format("token_id:{}", candidate.token);
    out[key] = finite_logprob(candidate.logprob);
  }
  return out;
}

}  // namespace

void Usage::add(const vernal_event& finished) noexcept {
  prompt_tokens_ += finished.prompt_tokens;
  cached_tokens_ += std::min(finished.cached_tokens, finished.prompt_tokens);
  completion_tokens_ += finished.completion_tokens;
  reasoning_tokens_ += finished.reasoning_tokens;
  draft_tokens_ += finished.draft_tokens;
  accepted_tokens_ += std::min(finished.accepted_tokens, finished.draft_tokens);
  decoded_tokens_ += finished.completion_tokens -
                     std::min<std::uint64_t>(num_choices_, finished.completion_tokens);
  prefill_us_ += finished.prefill_us;
  decode_us_ += finished.decode_us;
}

json::object Usage::to_json() const {
  return {{"prompt_tokens", prompt_tokens_},
          {"completion_tokens", completion_tokens_},
          {"total_tokens", prompt_tokens_ + completion_tokens_},
          {"prompt_tokens_details", {{"cached_tokens", cached_tokens_}}},
          {"completion_tokens_details",
           {{"reasoning_tokens", reasoning_tokens_},
            {"accepted_prediction_tokens", accepted_tokens_},
            {"rejected_prediction_tokens", draft_tokens_ - accepted_tokens_}}}};
}

json::object Usage::to_response_json() const {
  return {{"input_tokens", prompt_tokens_},
          {"input_tokens_details", {{"cached_tokens", cached_tokens_}, {"cache_write_tokens", 0}}},
          {"output_tokens", completion_tokens_},
          {"output_tokens_details", {{"reasoning_tokens", reasoning_tokens_}}},
          {"total_tokens", prompt_tokens_ + completion_tokens_}};
}

json::object Usage::timings() const {
  const std::uint64_t computed = prompt_tokens_ - cached_tokens_;
  json::object out{{"cache_n", cached_tokens_},
                   {"prompt_n", computed},
                   {"prompt_ms", static_cast<double>(prefill_us_) / 1e3},
                   {"prompt_per_second", per_second(computed, prefill_us_)},
                   {"predicted_n", completion_tokens_},
                   {"predicted_ms", static_cast<double>(decode_us_) / 1e3},
                   {"predicted_per_second", per_second(decoded_tokens_, decode_us_)}};
  if (draft_tokens_ > 0) {
    out["draft_n"] = draft_tokens_;
    out["draft_n_accepted"] = accepted_tokens_;
  }
  return out;
}

json::object timings_so_far(const vernal_event& delta, std::uint32_t num_choices) {
  Usage usage(num_choices);
  usage.add(delta);
  return usage.timings();
}

json::object prompt_progress(const vernal_event& event) {
  const bool is_progress = event.type == VERNAL_EVENT_PROGRESS;
  const bool is_done = event.type == VERNAL_EVENT_DELTA;
  const std::uint64_t total = is_progress ? event.total : event.prompt_tokens;
  const std::uint64_t processed = is_progress ? event.done : is_done ? total : event.cached_tokens;
  return {{"total", total},
          {"cache", event.cached_tokens},
          {"processed", processed},
          {"time_ms", static_cast<double>(event.prefill_us) / 1e3}};
}

std::string_view finish_reason_name(std::uint32_t reason) noexcept {
  switch (reason) {
    case VERNAL_FINISH_LENGTH:
      return "length";
    case VERNAL_FINISH_TOOL_CALLS:
      return "tool_calls";
    case VERNAL_FINISH_CONTENT_FILTER:
      return "content_filter";
    default:
      return "stop";
  }
}

json::array chat_logprobs(const vernal_event& event, std::uint32_t num_alternatives) {
  json::array positions;
  for (const vernal_token_logprob& position : logprobs_of(event)) {
    json::object entry = chat_candidate(position.chosen);
    json::array alternatives;
    for (const vernal_candidate& candidate : alternatives_of(position)) {
      if (alternatives.size() == num_alternatives) break;
      alternatives.push_back(chat_candidate(candidate));
    }
    entry["top_logprobs"] = std::move(alternatives);
    positions.push_back(std::move(entry));
  }
  return positions;
}

std::string_view CompletionLogprobs::in_text(std::string_view bytes) {
  if (beginning_.empty()) return bytes;
  const bool has_space = bytes.substr(0, 1) == " " && beginning_.front() != ' ';
  const std::string_view own = has_space ? bytes.substr(1) : bytes;
  const bool is_before_text = !own.empty() && may_precede_text_ && !beginning_.starts_with(own);
  may_precede_text_ = false;
  if (is_before_text) return {};
  beginning_.clear();
  return own;
}

void CompletionLogprobs::add(const vernal_event& event, std::uint32_t num_alternatives) {
  for (const vernal_token_logprob& position : logprobs_of(event)) {
    const std::string_view bytes = view(position.chosen.bytes);
    tokens_.push_back(json::string(completion_token(bytes)));
    const bool has_none = std::isnan(position.chosen.logprob);
    token_logprobs_.push_back(has_none ? json::value(nullptr)
                                       : json::value(finite_logprob(position.chosen.logprob)));
    text_offset_.push_back(offset_);
    offset_ += count_characters(in_text(bytes));
    top_logprobs_.push_back(has_none
                                ? json::value(nullptr)
                                : json::value(completion_alternatives(position, num_alternatives)));
  }
}

json::object CompletionLogprobs::take() {
  json::object taken{{"tokens", std::move(tokens_)},
                     {"token_logprobs", std::move(token_logprobs_)},
                     {"top_logprobs", std::move(top_logprobs_)},
                     {"text_offset", std::move(text_offset_)}};
  tokens_ = {};
  token_logprobs_ = {};
  top_logprobs_ = {};
  text_offset_ = {};
  return taken;
}

}  // namespace vernal::openai_http
