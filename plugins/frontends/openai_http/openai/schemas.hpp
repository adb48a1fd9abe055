// The routes of the OpenAI API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kOpenAiComponents = {
    NamedSchema{"Error", R"({"type":"object","required":["error"],"properties":{"error":{
      "type":"object","required":["message","type","param","code"],"properties":{
      "message":{"type":"string"},"type":{"type":"string"},
      "param":{"type":["string","null"]},"code":{"type":["string","null"]}}}}})"},
    NamedSchema{"Warnings", R"({"type":"array","items":{"type":"string"}})"},
    NamedSchema{"Usage",
                R"({"type":"object","required":["prompt_tokens","completion_tokens","total_tokens"],
      "properties":{"prompt_tokens":{"type":"integer","minimum":0},
      "completion_tokens":{"type":"integer","minimum":0},"total_tokens":{"type":"integer","minimum":0},
      "prompt_tokens_details":{"type":"object"},"completion_tokens_details":{"type":"object"}}})"},
    NamedSchema{"Sampling", R"({"type":"object","properties":{
      "temperature":{"type":["number","null"],"minimum":0,"maximum":2},
      "top_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "top_k":{"type":["integer","null"],"minimum":0,"maximum":1000000},
      "min_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "presence_penalty":{"type":["number","null"],"minimum":-2,"maximum":2},
      "frequency_penalty":{"type":["number","null"],"minimum":-2,"maximum":2},
      "repetition_penalty":{"type":["number","null"],"minimum":0.01,"maximum":100},
      "seed":{"type":["integer","null"],"minimum":-1,"maximum":9007199254740992},
      "stop":{"anyOf":[{"type":["string","null"],"maxLength":256},
        {"type":"array","maxItems":16,"items":{"type":"string","maxLength":256}}]},
      "n":{"type":["integer","null"],"minimum":1,"maximum":8},
      "stream":{"type":["boolean","null"]},
      "max_tokens":{"type":["integer","null"],"minimum":1}}})"},
    NamedSchema{"Message", R"({"type":"object","required":["role","content"],"properties":{
      "role":{"enum":["system","developer","user","assistant"]},
      "content":{"anyOf":[{"type":"string"},{"type":"array","minItems":1,"items":{"type":"object",
        "required":["type","text"],"properties":{"type":{"const":"text"},"text":{"type":"string"}}}}]}}})"},
    NamedSchema{
        "Tool",
        R"({"type":"object","required":["type","function"],"properties":{"type":{"const":"function"},
      "function":{"type":"object","required":["name"],"properties":{
      "name":{"type":"string","minLength":1,"maxLength":64,"pattern":"^[a-zA-Z0-9_-]+$"},
      "description":{"type":"string"},"parameters":{"type":"object"}}}}})"},
    NamedSchema{"ChatRequest",
                R"({"allOf":[{"$ref":"#/components/schemas/Sampling"},{"type":"object",
      "required":["messages"],"properties":{"model":{"type":["string","null"]},
      "messages":{"type":"array","minItems":1,"items":{"$ref":"#/components/schemas/Message"}},
      "tools":{"type":["array","null"],"items":{"$ref":"#/components/schemas/Tool"}},
      "logprobs":{"type":["boolean","null"]},
      "max_completion_tokens":{"type":["integer","null"],"minimum":1}}}]})"},
    NamedSchema{"Model",
                R"({"type":"object","required":["id","object","created","owned_by","context_length",
      "max_model_len","aliases","meta"],"properties":{"id":{"type":"string"},"object":{"const":"model"},
      "aliases":{"type":"array","items":{"type":"string"}},"created":{"type":"integer"},
      "owned_by":{"const":"vernal"},"context_length":{"type":"integer","minimum":1},
      "max_model_len":{"type":"integer","minimum":1},"max_completion_tokens":{"type":"integer"},
      "type":{"const":"model"},"display_name":{"type":"string"},"created_at":{"type":"string"},
      "meta":{"type":"object"}}})"},
    NamedSchema{"Count", R"({"type":"object","required":["input_tokens"],
      "properties":{"input_tokens":{"type":"integer","minimum":1}}})"},
};

inline constexpr std::array kOpenAiRoutes = {
    RouteSchemas{
        "GET", "/v1/models", "The models and profiles that are served.", "",
        R"({"type":"object","required":["object","data"],"properties":{"object":{"const":"list"},
      "data":{"type":"array","items":{"$ref":"#/components/schemas/Model"}},
      "has_more":{"type":"boolean"},"first_id":{"type":["string","null"]},
      "last_id":{"type":["string","null"]}}})"},
    RouteSchemas{"GET", "/v1/models/{id}", "One model or profile.", "",
                 R"({"$ref":"#/components/schemas/Model"})"},
    RouteSchemas{
        "POST", "/v1/chat/completions", "The next answer of a conversation.",
        R"({"$ref":"#/components/schemas/ChatRequest"})",
        R"({"type":"object","required":["id","object","created","model","choices","usage","timings"],
      "properties":{"id":{"type":"string"},"object":{"const":"chat.completion"},
      "created":{"type":"integer"},"model":{"type":"string"},"choices":{"type":"array","minItems":1,
      "items":{"type":"object","required":["index","message","finish_reason"],"properties":{
      "index":{"type":"integer"},"message":{"type":"object","required":["role","content"],"properties":{
      "role":{"const":"assistant"},"content":{"type":["string","null"]}}},
      "finish_reason":{"enum":["stop","length","tool_calls","content_filter"]}}}},
      "usage":{"$ref":"#/components/schemas/Usage"},"timings":{"type":"object"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})",
        "", true},
    RouteSchemas{"POST", "/v1/chat/completions/input_tokens", "How many tokens a conversation has.",
                 R"({"$ref":"#/components/schemas/ChatRequest"})",
                 R"({"$ref":"#/components/schemas/Count"})"},
    RouteSchemas{
        "POST", "/v1/completions", "The continuation of prompts.",
        R"({"allOf":[{"$ref":"#/components/schemas/Sampling"},{"type":"object","required":["prompt"],
      "properties":{"model":{"type":["string","null"]},"prompt":{"anyOf":[
      {"type":"string","minLength":1},{"type":"array","minItems":1,"maxItems":4,
      "items":{"type":"string","minLength":1}}]},
      "logprobs":{"type":["integer","null"],"minimum":0,"maximum":20}}}]})",
        R"({"type":"object","required":["id","object","created","model","choices","usage","timings"],
      "properties":{"id":{"type":"string"},"object":{"const":"text_completion"},
      "created":{"type":"integer"},"model":{"type":"string"},"choices":{"type":"array","minItems":1,
      "items":{"type":"object","required":["index","text","logprobs","finish_reason"],"properties":{
      "index":{"type":"integer"},"text":{"type":"string"},"logprobs":{"type":["object","null"]},
      "finish_reason":{"enum":["stop","length"]}}}},
      "usage":{"$ref":"#/components/schemas/Usage"},"timings":{"type":"object"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})",
        "", true},
    RouteSchemas{
        "POST", "/v1/embeddings", "Texts as vectors.",
        R"({"type":"object","required":["input"],"properties":{"model":{"type":["string","null"]},
      "input":{"anyOf":[{"type":"string","minLength":1},{"type":"array","minItems":1,"maxItems":8,
      "items":{"type":"string","minLength":1}}]},"encoding_format":{"enum":["float","base64",null]}}})",
        R"({"type":"object","required":["object","data","model","usage"],"properties":{
      "object":{"const":"list"},"data":{"type":"array","minItems":1,"items":{"type":"object",
      "required":["object","index","embedding"],"properties":{"object":{"const":"embedding"},
      "index":{"type":"integer"},"embedding":{"anyOf":[{"type":"string"},
      {"type":"array","items":{"type":"number"}}]}}}},"model":{"type":"string"},
      "usage":{"type":"object","required":["prompt_tokens","total_tokens"]}}})"},
};

}  // namespace vernal::openai_http
