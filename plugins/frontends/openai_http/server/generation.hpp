// A generation from the client's request through the engine to the answer.
#pragma once

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// The model to use for a request that names `model` or one of its aliases, or a name for which a
/// pattern stands. A client may leave the name out if there is only one model. With accept_any_model the first model stands for every name
/// that none has. Throws RequestRefused: 404 for a model that this frontend does not show, 400 if
/// none was named and there are several.
std::string resolve_model(const HttpService& service, const std::string& model);

/// Submits every prompt of `request`, waits until all are accepted, and sends what `answer` makes
/// of their events: an event stream if the request is streamed, else one document. While the client
/// does not read, no event is taken from the engine. If the client leaves or the server stops, what
/// still runs is cancelled. Throws RequestRefused for anything that goes wrong before the answer
/// has begun.
net::awaitable<void> run_generation(Exchange& exchange, const GenerationRequest& request,
                                    Answer& answer);

}  // namespace vernal::openai_http
