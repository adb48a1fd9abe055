// The routes of the Anthropic API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kAnthropicComponents = {
    NamedSchema{"AnthropicError", R"({"type":"object","required":["type","error"],"properties":{
      "type":{"const":"error"},"error":{"type":"object","required":["type","message"],"properties":{
      "type":{"type":"string"},"message":{"type":"string"}}},"request_id":{"type":"string"}}})"},
    NamedSchema{"AnthropicText",
                R"({"anyOf":[{"type":"string"},{"type":"array","items":{"type":"object",
      "required":["type","text"],"properties":{"type":{"const":"text"},"text":{"type":"string"}}}}]})"},
    NamedSchema{"AnthropicConversation", R"({"type":"object","required":["messages"],"properties":{
      "model":{"type":["string","null"]},
      "messages":{"type":"array","minItems":1,"items":{"type":"object","required":["role","content"],
        "properties":{"role":{"enum":["user","assistant"]},
        "content":{"$ref":"#/components/schemas/AnthropicText"}}}},
      "system":{"$ref":"#/components/schemas/AnthropicText"},
      "tools":{"type":"array","items":{"type":"object","required":["name","input_schema"],"properties":{
        "name":{"type":"string","minLength":1,"maxLength":64,"pattern":"^[a-zA-Z0-9_-]+$"},
        "description":{"type":"string"},"input_schema":{"type":"object"}}}}}})"},
    NamedSchema{"AnthropicUsage",
                R"({"type":"object","required":["input_tokens","cache_creation_input_tokens",
      "cache_read_input_tokens","output_tokens"],"properties":{
      "input_tokens":{"type":"integer","minimum":0},
      "cache_creation_input_tokens":{"type":"integer","minimum":0},
      "cache_read_input_tokens":{"type":"integer","minimum":0},
      "output_tokens":{"type":"integer","minimum":0},"output_tokens_details":{"type":"object"}}})"},
};

inline constexpr std::array kAnthropicRoutes = {
    RouteSchemas{
        "POST", "/v1/messages", "The next message of a conversation.",
        R"({"allOf":[{"$ref":"#/components/schemas/AnthropicConversation"},{"type":"object",
      "required":["max_tokens"],"properties":{"max_tokens":{"type":"integer","minimum":1},
      "stream":{"type":"boolean"},
      "stop_sequences":{"type":"array","maxItems":16,"items":{"type":"string","maxLength":256}},
      "temperature":{"type":"number","minimum":0,"maximum":2},
      "top_p":{"type":"number","minimum":0,"maximum":1},
      "top_k":{"type":"integer","minimum":0,"maximum":1000000}}}]})",
        R"({"type":"object","required":["id","type","role","model","content","stop_reason",
      "stop_sequence","usage"],"properties":{"id":{"type":"string"},"type":{"const":"message"},
      "role":{"const":"assistant"},"model":{"type":"string"},
      "content":{"type":"array","items":{"type":"object","required":["type"],"properties":{
        "type":{"enum":["text","thinking","tool_use"]}}}},
      "stop_reason":{"enum":["end_turn","max_tokens","stop_sequence","tool_use","refusal"]},
      "stop_sequence":{"type":["string","null"]},
      "usage":{"$ref":"#/components/schemas/AnthropicUsage"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})",
        "", true},
    RouteSchemas{"POST", "/v1/messages/count_tokens", "How many tokens a conversation has.",
                 R"({"$ref":"#/components/schemas/AnthropicConversation"})",
                 R"({"$ref":"#/components/schemas/Count"})"},
};

}  // namespace vernal::openai_http
