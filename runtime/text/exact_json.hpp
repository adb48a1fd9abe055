// JSON whose numbers keep the text that they were written with.
#pragma once

#include <boost/json/error.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace vernal {

/// What a client sends passes through a tree of boost::json, whose numbers are 64-bit integers and
/// doubles. 0.10 would come out as 0.1, and an integer of 20 digits as another one. So a number
/// that the library would print differently is a *written number* in the tree: a string of the byte
/// FF and the number's text. No string of a client begins with that byte: it occurs nowhere in
/// UTF-8.
/// Chat templates print such a number as it was written and compute with its value.

/// Parses UTF-8 JSON in which such numbers are written numbers. Of a key that comes twice, the last
/// counts. On failure `error` is set and the result is null; a number beyond the doubles gives
/// boost::json::error::exponent_overflow.
///   max_depth   of nested arrays and objects
///   memory      of the result
boost::json::value parse_exact_json(std::string_view text, std::size_t max_depth,
                                    boost::json::storage_ptr memory,
                                    boost::json::error_code& error);

bool is_written_number(const boost::json::value& value) noexcept;
/// "0.10". The value is a written number; the text lives as long as it.
std::string_view written_text(const boost::json::value& value) noexcept;
/// The tree as text, in the layout of Python's json.dumps without ASCII escaping.
std::string exact_json_text(const boost::json::value& value);

/// The double next to a number's text. What is too small for one is zero.
double double_of(std::string_view number_text) noexcept;

}  // namespace vernal
