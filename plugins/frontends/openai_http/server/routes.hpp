// Which handler answers which request.
#pragma once

#include <string_view>

#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Answers one exchange, or throws RequestRefused or vernal::Error before it has begun to.
using Handler = net::awaitable<void> (*)(Exchange&);

/// Finds the handler from the head alone, before the body is read, and settles path and dialect of
/// the exchange. Throws RequestRefused: 401 without a key that is known, 404, 405, 503 while
/// draining.
Handler route(Exchange& exchange);

/// The key a client presents: what follows "Bearer" in Authorization, or x-api-key.
bool has_accepted_key(const ApiKeys& keys, const HttpRequest& request);

}  // namespace vernal::openai_http
