// What the text service knows of a model.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// Its description, parsed (sdk/spec/request.md, "The description of a model"). Worker thread.
boost::json::object describe_model(const TextClient& text, std::string_view model);

}  // namespace vernal::openai_http
