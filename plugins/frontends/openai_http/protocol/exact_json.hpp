// Numbers of a body that have to reach the engine with the digits they were sent with.
#pragma once

#include <boost/json/error.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

namespace vernal::openai_http {

/// Schemas, arguments of calls and variables of a chat template are handed on, not read.
/// Their numbers must not pass through a double: 0.10 would become 0.1, and an integer of 20 digits
/// another one. So inside `tools`, `input`, `arguments`, `chat_template_kwargs` and the members
/// that hold a schema (`schema`, `json_schema`, `guided_json`, `json`) a
/// number that the library would print differently is a *written number*: a string of the byte FF
/// and the number's text. No string of a client begins with that byte: it occurs nowhere in UTF-8.
/// to_text() prints it as it was written; for JsonFields it is no string. (The core reads its
/// documents in the same way; a frontend includes nothing of the core.)

/// What was parsed, and how far.
struct ParsedJson {
  boost::json::value value;
  boost::json::error_code error;  ///< exponent_overflow: a number beyond the doubles
  std::size_t num_bytes = 0;
};

/// Parses UTF-8 JSON; of equal keys the last one counts. Throws std::bad_alloc if `memory` does.
ParsedJson parse_exact_json(std::string_view text, std::size_t max_depth,
                            const boost::json::storage_ptr& memory);

bool is_written_number(const boost::json::value& value) noexcept;
/// "0.10". The value is a written number; the text lives as long as it.
std::string_view written_text(const boost::json::value& value) noexcept;

}  // namespace vernal::openai_http
