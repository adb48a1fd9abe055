// Tools of a chat request in the OpenAI shape, and which of them may or must be called.
#pragma once

#include <boost/json/object.hpp>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The members "tools", "tool_choice" and "parallel_tool_calls", written into the document, where
/// {"type": "allowed_tools"} becomes allowed_tools. Tools of other types than function are left out.
/// In their place "functions" and "function_call" of the older API are read: then the answer is one
/// call, and true is returned.
/// Throws RequestRefused: a wrong type, a choice that names a tool which is not offered, both APIs
/// at once
bool read_tools(const JsonFields& fields, boost::json::object& document);

}  // namespace vernal::openai_http
