// POST /v1/completions: the client's JSON, made into requests to the engine, one for each prompt.
#pragma once

#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// Converts the body of a completion request. The prompt is a string, a list of strings, a list of
/// token ids or a list of such lists; at most 64 prompts. Throws RequestRefused, by name for echo,
/// suffix and best_of.
GenerationRequest read_completion_request(const boost::json::object& body);

}  // namespace vernal::openai_http
