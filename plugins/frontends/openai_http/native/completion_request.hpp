// POST /completion: the client's JSON, made into requests to the engine, one for each prompt.
#pragma once

#include "openai_http/protocol/generation_request.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// Converts the body of a native completion request. The prompt is a string, token ids, a list that
/// mixes the two, or a list of those; at most 64 prompts. What the API knows and this server cannot
/// do is refused by name, what it does not know is ignored. Throws RequestRefused.
GenerationRequest read_native_completion(const boost::json::object& body);

/// Makes tokens of mixed prompts, and learns the settings that count. Worker thread, once the model
/// is known. Throws RequestRefused and Error.
void prepare_native_completion(GenerationRequest& request, const TextClient& text);

/// What both endpoints that generate have in common. `fields` is the body.
void read_native_settings(const JsonFields& fields, GenerationRequest& request,
                          boost::json::object& document);

/// Fills in the settings that count, which become known with the model.
///   facts   its description
void apply_model_facts(GenerationRequest& request, const boost::json::object& facts);

}  // namespace vernal::openai_http
