// POST /v1/messages and /v1/messages/count_tokens: the client's JSON, made into a request to the
// engine.
#pragma once

#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// Converts the body of a Messages request. What would bind the answer and cannot be held is refused
/// by name, what the API does not know is ignored. Throws RequestRefused.
GenerationRequest read_messages_request(const boost::json::object& body);

/// The same for a request whose tokens are to be counted; it needs no output budget.
GenerationRequest read_messages_to_count(const boost::json::object& body);

}  // namespace vernal::openai_http
