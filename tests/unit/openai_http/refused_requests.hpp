// What requests are refused for, whatever API they belong to.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http::testing {

/// The error with which `convert` refuses a request.
inline ApiError refusal(const std::function<void()>& convert) {
  try {
    convert();
  } catch (const RequestRefused& refused) {
    EXPECT_GE(refused.error().message.size(), 30U) << refused.error().message;
    return refused.error();
  }
  ADD_FAILURE() << "was accepted";
  return {};
}

/// Members that bind an answer, under the names that clients of common servers know, and the
/// parameter that is named when they are refused.
inline constexpr std::pair<const char*, const char*> kBinding[] = {
    {R"("structural_tag":"x")", "structural_tag"},
    {R"("guided_of_some_day":1)", "guided_of_some_day"},
    {R"("allowed_token_ids":[1])", "allowed_token_ids"},
    {R"("stop_token_ids":[1])", "stop_token_ids"},
    {R"("include_stop_str_in_output":true)", "include_stop_str_in_output"},
    {R"("logits_processors":["x"])", "logits_processors"},
    {R"("modalities":["text","audio"])", "modalities"},
    {R"("audio":{"voice":"alloy"})", "audio"},
    {R"("use_beam_search":true)", "use_beam_search"},
    {R"("prompt_logprobs":0)", "prompt_logprobs"},
};

/// The same members where they ask for nothing, and members that only look like those.
inline constexpr const char* kHarmless =
    R"("grammar":"","json_schema":null,"structured_outputs":{},"guided_json":null,"functions":[],
       "function_call":"auto","ignore_eos":false,"bad_words":[],"stop_token_ids":[],
       "continue_final_message":false,"add_generation_prompt":true,"modalities":["text"],
       "audio":null,"use_beam_search":false,"response_format":{"type":"text"},
       "output_config":{"effort":"low"},"context_management":{"edits":[]},"guided":true)";

}  // namespace vernal::openai_http::testing
