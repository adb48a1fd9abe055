// The routes of the Anthropic API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kAnthropicComponents = {
    NamedSchema{"AnthropicError", R"({"type":"object","required":["type","error"],"properties":{
      "type":{"const":"error"},"error":{"type":"object","required":["type","message"],"properties":{
      "type":{"type":"string"},"message":{"type":"string"}}},"request_id":{"type":"string"}}})"},
};

inline constexpr std::array kAnthropicRoutes = {
    RouteSchemas{
        "POST", "/v1/messages/count_tokens", "How many tokens a conversation has.",
        R"({"type":"object","required":["messages"],"properties":{"model":{"type":["string","null"]},
      "messages":{"type":"array","minItems":1,"items":{"type":"object","required":["role","content"],
      "properties":{"role":{"enum":["user","assistant"]},"content":{"type":"string"}}}},
      "system":{"type":["string","null"]}}})",
        R"({"$ref":"#/components/schemas/Count"})"},
};

}  // namespace vernal::openai_http
