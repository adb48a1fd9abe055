// JSON values as text, with numbers the way people write them.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace vernal::openai_http {

/// Compact JSON. Floating-point numbers are written in the shortest decimal form that reads back as
/// the same value ("2801.067", where the library's own writer says "2.801067E3"); the finite ones
/// only, others become null.
std::string to_text(const boost::json::value& value);
std::string to_text(const boost::json::object& object);

}  // namespace vernal::openai_http
