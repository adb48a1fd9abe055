// The handlers of the routes. Each answers one exchange; see Handler in routes.hpp.
#pragma once

#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// OPTIONS of any path: 204 with the headers a browser asks for.
net::awaitable<void> answer_preflight(Exchange& exchange);

/// GET /health: 200 {"status":"ok"} if every model is ready and nothing drains, else 503.
net::awaitable<void> answer_health(Exchange& exchange);

/// GET /metrics: the engine's counters and gauges and the frontend's own, as Prometheus text.
net::awaitable<void> answer_metrics(Exchange& exchange);

/// GET /v1/models.
net::awaitable<void> answer_model_list(Exchange& exchange);

/// GET /v1/models/{id}; the id may contain slashes.
net::awaitable<void> answer_model(Exchange& exchange);

/// POST /v1/chat/completions.
net::awaitable<void> answer_chat(Exchange& exchange);

/// POST /v1/completions.
net::awaitable<void> answer_completion(Exchange& exchange);

/// POST /v1/messages/count_tokens.
net::awaitable<void> answer_count_tokens(Exchange& exchange);

}  // namespace vernal::openai_http
