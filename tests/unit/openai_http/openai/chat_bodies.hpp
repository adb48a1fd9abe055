// Bodies of chats, converted.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "openai_http/openai/chat_request.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "unit/openai_http/refused_requests.hpp"

namespace vernal::openai_http::testing {

/// A chat with one message of the user, and these members.
inline GenerationRequest chat(const std::string& members) {
  const std::string separator = members.empty() ? "" : ",";
  const JsonBody body(R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + separator +
                      members + "}");
  return read_chat_request(body.object());
}

inline boost::json::object document_of(const GenerationRequest& request, std::size_t prompt = 0) {
  return boost::json::parse(request.prompts.at(prompt).document).as_object();
}

inline ApiError chat_refusal(const std::string& members) {
  return refusal([&] { chat(members); });
}

inline ApiError body_refusal(const std::string& text) {
  return refusal([&] { read_chat_request(JsonBody(text).object()); });
}

}  // namespace vernal::openai_http::testing
