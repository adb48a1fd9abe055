// Which endpoint answers which request.
#pragma once

#include <string>

#include "openai_http/server/endpoint.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Finds the endpoint from the head alone, before the body is read, settles path and dialect of the
/// exchange, and returns the endpoint's handler. Throws RequestRefused: 401 without a key that is
/// known, 403 for a name or an origin that may not ask, 404, 405, 415, 503 while draining.
Handler route(Exchange& exchange);

/// Every endpoint: "GET /health, POST /v1/chat/completions".
std::string endpoint_list();

}  // namespace vernal::openai_http
