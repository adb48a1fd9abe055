// Items of the Responses API: what clients send, in one form, and the messages they stand for.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// A stored item in the form below; nothing if none has that id.
using FindItem = std::function<std::optional<boost::json::object>(std::string_view id)>;

/// The member "input": a string, or items of type message (which may be absent), function_call,
/// function_call_output and reasoning. They come back with all members that such items have, an id
/// and the type among them; content is always a list of parts. Items of other types are left out:
/// they come from tools that this server does not have. Without the member: no items.
/// An item_reference stands for the item that `find_item` finds.
/// Throws RequestRefused for items that are not whole, for parts that are not text, and for
/// references to items that are not stored.
boost::json::array read_input_items(const JsonFields& fields, const FindItem& find_item);

/// The item of that id in a JSON array of stored items; nothing if it has none.
std::optional<boost::json::object> item_with_id(const std::string& items, std::string_view id);

/// Messages of a request document. `lists` are lists of items in that form, oldest first. What the
/// model wrote in a row, reasoning, text and calls, becomes one message.
///   instructions   the first message, of the system; empty: none
boost::json::array messages_of(std::string_view instructions,
                               const std::vector<boost::json::array>& lists);

}  // namespace vernal::openai_http
