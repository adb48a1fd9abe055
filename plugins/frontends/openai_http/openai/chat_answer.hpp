// Answers of POST /v1/chat/completions: the event stream and the document.
#pragma once

#include <memory>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// The answer `request` asks for: chunks "chat.completion.chunk" if it is streamed, else one
/// "chat.completion".
std::unique_ptr<Answer> make_chat_answer(const GenerationRequest& request, AnswerIdentity identity);

}  // namespace vernal::openai_http
