// Answers of POST /v1/messages: the event stream and the document.
#pragma once

#include <memory>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// The answer `request` asks for: events from message_start to message_stop if it is streamed, else
/// one message.
std::unique_ptr<Answer> make_messages_answer(const GenerationRequest& request,
                                             AnswerIdentity identity);

}  // namespace vernal::openai_http
