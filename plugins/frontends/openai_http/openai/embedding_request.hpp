// POST /v1/embeddings: the client's JSON, made into requests to the engine, one for each input.
#pragma once

#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// Converts the body. `input` is a string, token ids, or a list of up to 2048 of those.
/// encoding_format is "float" or "base64". Throws RequestRefused, by name for `dimensions`.
GenerationRequest read_embedding_request(const boost::json::object& body);

/// POST /embedding of llama-server: `content` or `input` instead, and embd_normalize. Throws
/// RequestRefused.
GenerationRequest read_native_embedding(const boost::json::object& body);

}  // namespace vernal::openai_http
