// Answers of POST /v1/responses: the event stream and the document.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/responses/response_request.hpp"

namespace vernal::openai_http {

/// Gets the whole response object and the JSON array of its items, before a client can know that the
/// response is complete.
using KeepResponse = std::function<void(const std::string& document, const std::string& output)>;

/// The answer that `request` asks for: events "response.*" if it is streamed, else one response
/// object. `keep` may be empty.
std::unique_ptr<Answer> make_response_answer(const ResponseRequest& request,
                                             AnswerIdentity identity, KeepResponse keep);

}  // namespace vernal::openai_http
