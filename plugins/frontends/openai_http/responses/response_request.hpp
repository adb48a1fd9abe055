// POST /v1/responses: the client's JSON, made into a request to the engine.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "openai_http/protocol/generation_request.hpp"
#include "openai_http/responses/response_items.hpp"
#include "openai_http/responses/response_store.hpp"

namespace vernal::openai_http {

/// A client's request, converted.
struct ResponseRequest {
  GenerationRequest generation;
  boost::json::object settings;  // what the response object repeats of the request
  Conversation history;          // of previous_response_id
  std::string input;             // JSON array of the request's own items, as they may be stored
  std::vector<std::string> item_ids;  // of these
  bool is_to_be_stored = true;
};

/// The conversation up to a response that was stored. Throws RequestRefused if there is none.
using FindConversation = std::function<Conversation(std::string_view response_id)>;

/// What a request may refer to.
struct StoredItems {
  FindConversation find_conversation;
  FindItem find_item;
};

/// Converts the body. What the API knows and this server cannot do is refused by name, what it does
/// not know is ignored. Throws RequestRefused.
ResponseRequest read_response_request(const boost::json::object& body, const StoredItems& stored);

}  // namespace vernal::openai_http
