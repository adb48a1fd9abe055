// Answers of POST /v1/completions: the event stream and the document.
#pragma once

#include <memory>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// The answer `request` asks for. Choices are numbered prompt by prompt: prompt * n + choice.
std::unique_ptr<Answer> make_completion_answer(const GenerationRequest& request,
                                               AnswerIdentity identity);

}  // namespace vernal::openai_http
