// The routes of the Responses API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kResponseComponents = {
    NamedSchema{"ResponseItem", R"({"anyOf":[{"type":"object","required":["role","content"],
      "properties":{"type":{"const":"message"},"role":{"enum":["user","assistant","system","developer"]},
      "content":{"anyOf":[{"type":"string"},{"type":"array","minItems":1,"items":{"type":"object",
        "required":["type","text"],"properties":{"type":{"enum":["input_text","output_text"]},
        "text":{"type":"string"}}}}]}}},
      {"type":"object","required":["type","call_id","name","arguments"],"properties":{
      "type":{"const":"function_call"},"call_id":{"type":"string","minLength":1,"maxLength":64},
      "name":{"type":"string","minLength":1,"maxLength":64},"arguments":{"type":"string"}}},
      {"type":"object","required":["type","call_id","output"],"properties":{
      "type":{"const":"function_call_output"},"call_id":{"type":"string","minLength":1,"maxLength":64},
      "output":{"type":"string"}}}]})"},
    NamedSchema{"ResponseRequest", R"({"type":"object","required":["input"],"properties":{
      "model":{"type":["string","null"]},"input":{"anyOf":[{"type":"string","minLength":1},
      {"type":"array","minItems":1,"items":{"$ref":"#/components/schemas/ResponseItem"}}]},
      "instructions":{"type":["string","null"]},"stream":{"type":["boolean","null"]},
      "store":{"type":["boolean","null"]},"metadata":{"type":["object","null"]},
      "max_output_tokens":{"type":["integer","null"],"minimum":1},
      "temperature":{"type":["number","null"],"minimum":0,"maximum":2},
      "top_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "top_logprobs":{"type":["integer","null"],"minimum":0,"maximum":20},
      "reasoning":{"type":["object","null"],"properties":{"effort":{"type":["string","null"]}}},
      "parallel_tool_calls":{"type":["boolean","null"]}}})"},
    NamedSchema{"ResponseObject",
                R"({"type":"object","required":["id","object","created_at","status","model",
      "output","parallel_tool_calls","tool_choice","tools","usage","error","incomplete_details"],
      "properties":{"id":{"type":"string"},"object":{"const":"response"},
      "created_at":{"type":"integer"},"status":{"enum":["completed","incomplete","failed","in_progress"]},
      "model":{"type":"string"},"output":{"type":"array","items":{"type":"object",
      "required":["id","type"],"properties":{"id":{"type":"string"},
      "type":{"enum":["message","function_call","reasoning"]}}}},
      "usage":{"type":["object","null"],"required":["input_tokens","input_tokens_details",
      "output_tokens","output_tokens_details","total_tokens"]},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})"},
};

inline constexpr std::array kResponseRoutes = {
    RouteSchemas{"POST", "/v1/responses", "A response to items of a conversation.",
                 R"({"$ref":"#/components/schemas/ResponseRequest"})",
                 R"({"$ref":"#/components/schemas/ResponseObject"})", "", true},
    RouteSchemas{"POST", "/v1/responses/input_tokens", "How many tokens a conversation has.",
                 R"({"$ref":"#/components/schemas/ResponseRequest"})",
                 R"({"type":"object","required":["object","input_tokens"],"properties":{
      "object":{"const":"response.input_tokens"},"input_tokens":{"type":"integer","minimum":1}}})"},
    RouteSchemas{"GET", "/v1/responses/{id}", "A response that was stored.", "",
                 R"({"$ref":"#/components/schemas/ResponseObject"})"},
    RouteSchemas{"DELETE", "/v1/responses/{id}", "Forgets a response.", "",
                 R"({"type":"object","required":["id","object","deleted"],"properties":{
      "id":{"type":"string"},"object":{"const":"response"},"deleted":{"const":true}}})"},
    RouteSchemas{"GET", "/v1/responses/{id}/input_items", "What a stored response was made from.",
                 "",
                 R"({"type":"object","required":["object","data","first_id","last_id","has_more"],
      "properties":{"object":{"const":"list"},"data":{"type":"array","items":{"type":"object"}},
      "first_id":{"type":["string","null"]},"last_id":{"type":["string","null"]},
      "has_more":{"type":"boolean"}}})",
                 "limit order after"},
};

}  // namespace vernal::openai_http
