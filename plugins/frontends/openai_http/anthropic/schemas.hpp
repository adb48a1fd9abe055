// The routes of the Anthropic API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kAnthropicComponents = {
    NamedSchema{"AnthropicError", R"({"type":"object","required":["type","error"],"properties":{
      "type":{"const":"error"},"error":{"type":"object","required":["type","message"],"properties":{
      "type":{"type":"string"},"message":{"type":"string"}}},"request_id":{"type":"string"}}})"},
    NamedSchema{"ReadableBlock",
                R"({"anyOf":[{"type":"object","required":["type","text"],"properties":{
      "type":{"const":"text"},"text":{"type":"string"}}},
      {"type":"object","required":["type","source"],"properties":{"type":{"const":"document"},
      "source":{"type":"object","required":["type","data"],"properties":{"type":{"const":"text"},
        "data":{"type":"string"}}},
      "title":{"type":["string","null"]},"context":{"type":["string","null"]}}}]})"},
    NamedSchema{"AnthropicText", R"({"anyOf":[{"type":["string","null"]},
      {"type":"array","items":{"$ref":"#/components/schemas/ReadableBlock"}}]})"},
    NamedSchema{"AnthropicMessage", R"({"anyOf":[{"type":"object","required":["role","content"],
      "properties":{"role":{"enum":["user","system"]},"content":{"anyOf":[{"type":"string"},
      {"type":"array","items":{"anyOf":[{"$ref":"#/components/schemas/ReadableBlock"},
        {"type":"object","required":["type","tool_use_id"],"properties":{
        "type":{"const":"tool_result"},"tool_use_id":{"type":"string"},
        "content":{"$ref":"#/components/schemas/AnthropicText"},
        "is_error":{"type":["boolean","null"]}}}]}}]}}},
      {"type":"object","required":["role"],"properties":{"role":{"const":"assistant"},
      "content":{"anyOf":[{"type":["string","null"]},{"type":"array","items":{"anyOf":[
        {"$ref":"#/components/schemas/ReadableBlock"},
        {"type":"object","required":["type","id","name"],"properties":{"type":{"const":"tool_use"},
        "id":{"type":"string"},"name":{"type":"string"},"input":{"type":["object","null"]}}},
        {"type":"object","required":["type","thinking"],"properties":{"type":{"const":"thinking"},
        "thinking":{"type":"string"}}},
        {"type":"object","required":["type"],"properties":{
        "type":{"const":"redacted_thinking"}}}]}}]}}}]})"},
    NamedSchema{"AnthropicTool", R"({"anyOf":[{"type":"object","required":["name","input_schema"],
      "properties":{"name":{"type":"string","minLength":1,"maxLength":256},
      "type":{"type":["string","null"]},"description":{"type":["string","null"]},
      "input_schema":{"type":"object"},"strict":{"type":["boolean","null"]}}},
      {"type":"object","description":"Tools of the service are left out, with a warning.",
      "required":["type"],"properties":{"type":{"type":"string","not":{"const":"custom"}},
      "input_schema":{"type":"null"}}}]})"},
    NamedSchema{"AnthropicToolChoice", R"({"anyOf":[{"type":"null"},
      {"type":"object","required":["type"],"properties":{"type":{"enum":["auto","any","none"]},
      "disable_parallel_tool_use":{"type":["boolean","null"]}}},
      {"type":"object","required":["type","name"],"properties":{"type":{"const":"tool"},
      "name":{"type":"string"},"disable_parallel_tool_use":{"type":["boolean","null"]}}}]})"},
    NamedSchema{"AnthropicThinking", R"({"type":["object","null"],"required":["type"],"properties":{
      "type":{"enum":["enabled","adaptive","between_tools","disabled"]},
      "budget_tokens":{"$ref":"#/components/schemas/TokenBudget"},
      "display":{"enum":["summarized","omitted",null]}}})"},
    NamedSchema{"AnthropicConversation", R"({"allOf":[
      {"$ref":"#/components/schemas/SamplingSettings"},{"$ref":"#/components/schemas/AnswerFormat"},
      {"type":"object","required":["messages"],"properties":{
      "model":{"type":["string","null"]},
      "messages":{"type":"array","minItems":1,"maxItems":100000,
        "items":{"$ref":"#/components/schemas/AnthropicMessage"}},
      "system":{"$ref":"#/components/schemas/AnthropicText"},
      "tools":{"type":["array","null"],"maxItems":1000,
        "items":{"$ref":"#/components/schemas/AnthropicTool"}},
      "tool_choice":{"$ref":"#/components/schemas/AnthropicToolChoice"},
      "thinking":{"$ref":"#/components/schemas/AnthropicThinking"},
      "output_config":{"type":["object","null"],"properties":{"effort":{"type":["string","null"]}}},
      "temperature":{"type":["number","null"],"minimum":0,"maximum":2},
      "stop_sequences":{"$ref":"#/components/schemas/StopTexts"},
      "max_tokens":{"$ref":"#/components/schemas/OutputBudget"},
      "n":{"enum":[1,null]},"stream":{"type":["boolean","null"]}}}]})"},
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
      "required":["max_tokens"],"properties":{"max_tokens":{"type":"integer"}}}]})",
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
