// Items of the Responses API: what clients send, in one form, and the messages they stand for.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The member "input": a string, or items of type message (which may be absent), function_call,
/// function_call_output and reasoning. They come back with all members that such items have, an id
/// and the type among them; content is always a list of parts. Items of other types are left out:
/// they come from tools that this server does not have. Without the member: no items.
/// Throws RequestRefused for items that are not whole, for parts that are not text, and for
/// item_reference, which would have to be looked up.
boost::json::array read_input_items(const JsonFields& fields);

/// Messages of a request document. `lists` are lists of items in that form, oldest first. What the
/// model wrote in a row, reasoning, text and calls, becomes one message.
///   instructions   the first message, of the system; empty: none
boost::json::array messages_of(std::string_view instructions,
                               const std::vector<boost::json::array>& lists);

}  // namespace vernal::openai_http
