// The routes of the Responses API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kResponseComponents = {
    NamedSchema{"ResponseParts", R"({"anyOf":[{"type":"string"},
      {"type":"array","items":{"$ref":"#/components/schemas/TextPart"}}]})"},
    NamedSchema{"ResponseItem", R"({"anyOf":[{"type":"object","required":["role","content"],
      "properties":{"type":{"enum":["message",null]},
      "role":{"enum":["user","assistant","system","developer"]},"id":{"type":["string","null"]},
      "content":{"$ref":"#/components/schemas/ResponseParts"}}},
      {"type":"object","required":["type","call_id","name"],"properties":{
      "type":{"const":"function_call"},"call_id":{"type":"string","maxLength":256},
      "id":{"type":["string","null"]},"name":{"type":"string"},
      "arguments":{"type":["string","object","null"]}}},
      {"type":"object","required":["type","call_id","output"],"properties":{
      "type":{"const":"function_call_output"},"call_id":{"type":"string","maxLength":256},
      "id":{"type":["string","null"]},"output":{"$ref":"#/components/schemas/ResponseParts"}}},
      {"type":"object","required":["type"],"properties":{"type":{"const":"reasoning"},
      "id":{"type":["string","null"]},"summary":{},"content":{}}},
      {"type":"object","required":["id"],"description":"Stands for an item that is stored.",
      "properties":{"type":{"enum":["item_reference",null]},"id":{"type":"string"}}},
      {"type":"object","required":["type"],"description":"Items of other types are passed over.",
      "properties":{"type":{"type":"string","not":{"enum":["message","function_call",
      "function_call_output","reasoning","item_reference"]}}}}]})"},
    NamedSchema{"ResponseTool",
                R"({"anyOf":[{"type":"object","required":["type","name"],"properties":{
      "type":{"const":"function"},"name":{"type":"string","minLength":1,"maxLength":256},
      "description":{"type":["string","null"]},"parameters":{"type":["object","null"]},
      "strict":{"type":["boolean","null"]}}},
      {"$ref":"#/components/schemas/Tool","required":["type"]}]})"},
    NamedSchema{"ResponseToolChoice", R"({"anyOf":[{"$ref":"#/components/schemas/ToolChoice"},
      {"type":"object","required":["type","name"],"properties":{"type":{"const":"function"},
      "name":{"type":"string"}}},
      {"type":"object","required":["type","tools"],"properties":{"type":{"const":"allowed_tools"},
      "mode":{"enum":["auto","required",null]},"tools":{"type":"array","minItems":1,
      "items":{"type":"object"}}}}]})"},
    NamedSchema{"ResponseRequest", R"({"allOf":[{"$ref":"#/components/schemas/Generation"},
      {"$ref":"#/components/schemas/Thinking"},{"type":"object","properties":{
      "input":{"anyOf":[{"type":["string","null"]},
      {"type":"array","maxItems":100000,"items":{"$ref":"#/components/schemas/ResponseItem"}}]},
      "instructions":{"type":["string","null"]},
      "previous_response_id":{"type":["string","null"]},
      "store":{"type":["boolean","null"]},"metadata":{"type":["object","null"]},
      "tools":{"type":["array","null"],"maxItems":1000,
        "items":{"$ref":"#/components/schemas/ResponseTool"}},
      "tool_choice":{"$ref":"#/components/schemas/ResponseToolChoice"},
      "parallel_tool_calls":{"type":["boolean","null"]},
      "max_output_tokens":{"$ref":"#/components/schemas/OutputBudget"},
      "text":{"type":["object","null"],"properties":{
        "format":{"$ref":"#/components/schemas/ResponseFormat"},"verbosity":{}}},
      "reasoning":{"type":["object","null"],"properties":{"summary":{}}},
      "include":{"type":["array","null"]},
      "top_logprobs":{"type":["integer","null"],"minimum":0,"maximum":20},
      "n":{"enum":[1,null]},"background":{"enum":[false,null]},"conversation":{"type":"null"},
      "prompt":{"type":"null"},"prompt_cache_key":{},"safety_identifier":{},"user":{}}}]})"},
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
