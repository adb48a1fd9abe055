// POST /v1/chat/completions: the client's JSON, made into a request to the engine.
#pragma once

#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// Converts the body of a chat request. What the API knows and this server cannot do is refused by
/// name, what it does not know is ignored. Throws RequestRefused.
GenerationRequest read_chat_request(const boost::json::object& body);

}  // namespace vernal::openai_http
