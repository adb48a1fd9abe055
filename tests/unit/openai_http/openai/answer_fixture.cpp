#include "unit/openai_http/openai/answer_fixture.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "unit/openai_http/raw_client.hpp"

namespace vernal::openai_http::testing {

GenerationRequest request_of(bool is_streamed, std::uint32_t n, std::size_t num_prompts) {
  GenerationRequest request;
  request.is_streamed = is_streamed;
  request.num_choices = n;
  request.prompts.resize(num_prompts);
  return request;
}

void feed(Answer& answer, const MockEvent& event, std::string& out, std::size_t prompt) {
  EventArrays arrays;
  vernal_event raw{};
  to_abi(event, arrays, raw);
  answer.on_event(prompt, raw, out);
}

std::string play(Answer& answer, const std::vector<MockEvent>& events) {
  std::string out;
  answer.begin(out);
  for (const MockEvent& event : events) feed(answer, event, out);
  answer.end(out);
  return out;
}

std::vector<boost::json::object> chunks_of(const std::string& stream) {
  std::vector<std::string> data = event_data(stream);
  EXPECT_EQ(data.back(), "[DONE]");
  data.pop_back();
  std::vector<boost::json::object> chunks;
  for (const std::string& text : data) chunks.push_back(boost::json::parse(text).as_object());
  return chunks;
}

std::vector<MockEvent> hello() { return Script::hello().events; }

MockEvent with_logprobs(MockEvent event) {
  event.positions = {{{"a", -0.1}, {"b", -2.0}, {"\xff", -INFINITY}}};
  return event;
}

}  // namespace vernal::openai_http::testing
