// POST /infill: text in front of a gap and behind it, made into a prompt of the model's own tokens.
#pragma once

#include "openai_http/protocol/generation_request.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// Converts the body: input_prefix, input_suffix, input_extra [{filename, text}], prompt (text that
/// follows the prefix), and the settings of POST /completion. Throws RequestRefused.
GenerationRequest read_infill(const boost::json::object& body);

/// Makes the prompt. What does not fit the context is cut: first the files, from their beginning,
/// then the prefix from its beginning and the suffix from its end, so that about three quarters of
/// the room are the prefix's. Worker thread, once the model is known.
/// Errors   RequestRefused: a model without tokens for a gap
void prepare_infill(GenerationRequest& request, const TextClient& text);

}  // namespace vernal::openai_http
