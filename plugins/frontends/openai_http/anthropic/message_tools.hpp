// The tools of a Messages request, and which of them the model may call.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// Reads `tools` and `tool_choice` into the document's tools, tool_choice and parallel_tool_calls.
/// Tools without a schema of their own, such as web_search_20250305, belong to the service that
/// invented them. They are left out, and a sentence in `warnings` says so. Throws RequestRefused.
///   warnings   gets sentences, one on each line
void read_message_tools(const JsonFields& fields, boost::json::object& document,
                        std::string& warnings);

}  // namespace vernal::openai_http
