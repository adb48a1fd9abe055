// The conversation of a Messages request: its system prompt, its messages and their content blocks.
#pragma once

#include <boost/json/array.hpp>
#include <string>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// The members `system` and `messages` as messages of a request document, in the order in which the
/// model reads them. A message of blocks becomes one message, its tool results messages of their own
/// in front of it. Blocks of images, of documents
/// that are not plain text, and of other kinds are refused by their place.
///
/// A line of billing data at the beginning of a system text is left out: it differs in each request,
/// and nothing behind it could be reused of what was computed before. A sentence in `warnings` says so.
/// Throws RequestRefused.
///   warnings   gets sentences, one on each line
boost::json::array read_conversation(const JsonFields& fields, std::string& warnings);

/// Whether the last message is the beginning of the answer: it is the assistant's, and has text and
/// no calls.
///   messages   of read_conversation
bool ends_with_a_beginning(const boost::json::array& messages);

}  // namespace vernal::openai_http
