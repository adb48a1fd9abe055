// Body of GET /v1/responses/{id}/input_items.
#pragma once

#include <string>
#include <string_view>

#include "openai_http/responses/response_store.hpp"

namespace vernal::openai_http {

/// A page of the items that a response was made from, those of earlier responses among them:
/// {"object": "list", "data", "first_id", "last_id", "has_more"}.
///   query   limit (1 to 100; 20), order ("desc" or "asc"; desc: newest first), after (id of an
///           item: those behind it)
/// Throws RequestRefused for other values.
std::string render_item_list(const Conversation& input, std::string_view query);

}  // namespace vernal::openai_http
