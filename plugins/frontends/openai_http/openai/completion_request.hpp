// POST /v1/completions: the client's JSON, made into requests to the engine, one for each prompt.
#pragma once

#include "openai_http/protocol/generation_request.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// Converts the body of a completion request. The prompt is a string, a list of strings, a list of
/// token ids or a list of such lists; at most 64 prompts. Throws RequestRefused, by name for
/// best_of, and for suffix beside echo.
GenerationRequest read_completion_request(const boost::json::object& body);

/// Makes prompts with a gap of a request that has a suffix. Worker thread, once the model is known.
/// Errors   RequestRefused: a model without tokens for a gap
void prepare_completion(GenerationRequest& request, const TextClient& text);

}  // namespace vernal::openai_http
