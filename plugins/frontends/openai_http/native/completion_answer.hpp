// Answers of POST /completion and POST /infill: the event stream and the document.
#pragma once

#include <memory>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// The answer `request` asks for; request.native outlives it. Choices are numbered prompt by prompt.
/// The document is one object, or an array if there are several choices. The stream ends with the
/// last object, whose `stop` is true.
std::unique_ptr<Answer> make_native_answer(const GenerationRequest& request,
                                           AnswerIdentity identity);

/// The members of `object` that `paths` name, each under the last part of its path:
/// "generation_settings/n_predict" gives {"n_predict": ...}. Paths that lead nowhere are left out.
boost::json::object select_members(const boost::json::object& object,
                                   const std::vector<std::string>& paths);

}  // namespace vernal::openai_http
