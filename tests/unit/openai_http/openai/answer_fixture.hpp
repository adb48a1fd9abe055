// Answers of the OpenAI API, played from events.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"
#include "unit/openai_http/mock_event.hpp"

namespace vernal::openai_http::testing {

inline const AnswerIdentity kIdentity{"chatcmpl-1", "tiny", 1700000000};

///   n  the choices of each prompt
GenerationRequest request_of(bool is_streamed, std::uint32_t n = 1, std::size_t num_prompts = 1);

/// Gives an answer one event.
void feed(Answer& answer, const MockEvent& event, std::string& out, std::size_t prompt = 0);

/// All that an answer says, from its begin to its end.
std::string play(Answer& answer, const std::vector<MockEvent>& events);

/// The JSON of all chunks. Checks that only [DONE] follows them.
std::vector<boost::json::object> chunks_of(const std::string& stream);

/// The events of Script::hello().
std::vector<MockEvent> hello();

/// The same event with one position of three candidates, the last of which is no text.
MockEvent with_logprobs(MockEvent event);

}  // namespace vernal::openai_http::testing
