// What clients ask the text of an answer to be: JSON, a schema, a pattern, a grammar, a choice.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// Reads the members by which clients of several servers ask for a format (docs/http-api.md) into the
/// document's `format`. Returns the path of the member that asks for it, such as "guided_regex" or
/// "output_config.format"; empty: none does. Throws RequestRefused for a wrong value, and if two
/// members ask for different things.
std::string read_answer_format(const JsonFields& fields, boost::json::object& document);

/// The same for the Responses API, which has the format in text.format.
std::string read_response_format(const JsonFields& fields, boost::json::object& document);

}  // namespace vernal::openai_http
