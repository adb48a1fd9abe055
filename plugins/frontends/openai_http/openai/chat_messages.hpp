// Messages of a chat request in the OpenAI shape, made into those of a request document.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The member "messages", checked and reduced to what a document knows: role (developer becomes
/// system), content (string, or text parts), name, tool_calls, tool_call_id, reasoning_content.
/// Throws RequestRefused for anything of another type, an empty list, an unknown role, and parts
/// that are not text.
boost::json::array read_messages(const JsonFields& fields);

}  // namespace vernal::openai_http
