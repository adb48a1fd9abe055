// The handlers of the routes; those of the page are in page/page_handlers.hpp. Each answers one exchange; see Handler in endpoint.hpp.
#pragma once

#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// OPTIONS of any path: 204 with the headers a browser asks for.
net::awaitable<void> answer_preflight(Exchange& exchange);

/// GET /version: {"version": ...}.
net::awaitable<void> answer_version(Exchange& exchange);

/// GET /openapi.json: the description of all endpoints.
net::awaitable<void> answer_openapi(Exchange& exchange);

/// GET /health, /healthz and /ping: 200 {"status":"ok"} if every model is ready and nothing drains,
/// else 503.
net::awaitable<void> answer_health(Exchange& exchange);

/// GET /metrics: the engine's counters and gauges and the frontend's own, as Prometheus text.
net::awaitable<void> answer_metrics(Exchange& exchange);

/// GET /v1/models.
net::awaitable<void> answer_model_list(Exchange& exchange);

/// GET /v1/models/{id}; the id may contain slashes.
net::awaitable<void> answer_model(Exchange& exchange);

/// POST of any endpoint that generates. The GenerationApi of its row reads the request and makes
/// the answer.
net::awaitable<void> answer_generation(Exchange& exchange);

/// POST /v1/responses.
net::awaitable<void> answer_response(Exchange& exchange);

/// POST /v1/responses/input_tokens: {"object", "input_tokens"} for the body of such a request.
net::awaitable<void> answer_response_input_tokens(Exchange& exchange);

/// GET and DELETE of /v1/responses/{id}, and GET /v1/responses/{id}/input_items: what is stored.
net::awaitable<void> answer_stored_response(Exchange& exchange);
net::awaitable<void> answer_delete_response(Exchange& exchange);
net::awaitable<void> answer_response_input_items(Exchange& exchange);

/// POST /v1/messages/count_tokens.
net::awaitable<void> answer_count_tokens(Exchange& exchange);

/// POST /v1/chat/completions/input_tokens: {"input_tokens": N} for the body of a chat request.
net::awaitable<void> answer_chat_input_tokens(Exchange& exchange);

/// POST /apply-template: {"prompt": ...}, what the chat template makes of a chat request.
net::awaitable<void> answer_apply_template(Exchange& exchange);

/// POST /tokenize and POST /detokenize.
net::awaitable<void> answer_tokenize(Exchange& exchange);
net::awaitable<void> answer_detokenize(Exchange& exchange);

/// GET /props and GET /slots of a model, which the query may name.
net::awaitable<void> answer_props(Exchange& exchange);
net::awaitable<void> answer_slots(Exchange& exchange);

}  // namespace vernal::openai_http
