// JSON values as text, with numbers the way people write them.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace vernal::openai_http {

/// Compact JSON. A floating-point number is written in the shortest decimal form that reads back as
/// the same value ("2801.067"; the library's own writer says "2.801067E3"). Numbers that are not
/// finite become null.
std::string to_text(const boost::json::value& value);
std::string to_text(const boost::json::object& object);

}  // namespace vernal::openai_http
