// Messages and tools of a chat request in the OpenAI shape, made into those of a request document.
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

/// The members "tools" and "tool_choice", written into the document as tools [{name, description,
/// parameters}] and tool_choice ("none", "auto", "required" or {name}). Tools of other types than
/// function are left out. Throws RequestRefused for a tool_choice that names a tool which is not
/// offered.
void read_tools(const JsonFields& fields, boost::json::object& document);

/// Whether `tools` of a document has one of that name.
bool offers_tool(const boost::json::array& tools, std::string_view name);

}  // namespace vernal::openai_http
