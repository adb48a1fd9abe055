// Tools of the Responses API, whose members stand one level higher than those of a chat request.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The members "tools", "tool_choice" and "parallel_tool_calls", written into the document as
/// read_tools() does with those of a chat request. Tools of other types than function are left out:
/// agents offer them to every server.
/// Returns the functions as the response repeats them: type, name, description, parameters, strict.
/// Throws RequestRefused.
boost::json::array read_response_tools(const JsonFields& fields, boost::json::object& document);

}  // namespace vernal::openai_http
