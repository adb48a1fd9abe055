// The way of a generation: from the client's request through the engine to the answer.
#pragma once

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Fills in the model a client did not name if there is only one to choose. Throws RequestRefused:
/// 404 for a model this frontend does not show, 400 if none was named and there are several.
std::string resolve_model(const HttpService& service, const std::string& model);

/// Submits every prompt of `request`, waits until all are accepted, and sends what `answer` makes
/// of their events: as an event stream if the request is streamed, else as one document. Nothing is
/// taken from the engine while the client does not read. A client that leaves, and a server that
/// stops, cancel what still runs. Throws RequestRefused for whatever goes wrong before the answer
/// has begun.
net::awaitable<void> run_generation(Exchange& exchange, const GenerationRequest& request,
                                    Answer& answer);

}  // namespace vernal::openai_http
