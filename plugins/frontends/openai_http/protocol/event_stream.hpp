// Server-sent events as text.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace vernal::openai_http {

/// Appends "data: <json>" and the empty line that ends an event.
void append_event(std::string& out, const boost::json::object& data);

/// The same with a line "event: <type>" in front, the member `type` of the data.
void append_typed_event(std::string& out, const boost::json::object& data);

/// Appends "data: [DONE]", with which streams of the OpenAI chat API end.
void append_done(std::string& out);

}  // namespace vernal::openai_http
