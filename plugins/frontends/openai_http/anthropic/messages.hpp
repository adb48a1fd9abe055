// A request in the shape of the Anthropic Messages API, made into a request document.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace vernal::openai_http {

/// What count_tokens needs of a Messages request.
struct MessagesDocument {
  std::string model;
  std::string document;
};

/// Converts system, messages (text, tool_use, tool_result, thinking blocks), tools and thinking.
/// Tools without an input_schema belong to the service that invented them and are left out. Throws
/// RequestRefused.
MessagesDocument read_anthropic_messages(const boost::json::object& body);

}  // namespace vernal::openai_http
