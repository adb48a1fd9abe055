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
    NamedSchema{"Usage",
                R"({"type":"object","required":["prompt_tokens","completion_tokens","total_tokens"],
      "properties":{"prompt_tokens":{"type":"integer","minimum":0},
      "completion_tokens":{"type":"integer","minimum":0},"total_tokens":{"type":"integer","minimum":0},
      "prompt_tokens_details":{"type":"object"},"completion_tokens_details":{"type":"object"}}})"},
    NamedSchema{"Generation", R"({"allOf":[{"$ref":"#/components/schemas/Delivery"},
      {"$ref":"#/components/schemas/SamplingSettings"},{"$ref":"#/components/schemas/AnswerFormat"},
      {"type":"object","properties":{"temperature":{"type":["number","null"],"minimum":0,"maximum":2},
      "stop":{"$ref":"#/components/schemas/StopTexts"}}}]})"},
    NamedSchema{"CalledFunction", R"({"type":"object","required":["name"],"properties":{
      "name":{"type":"string"},"arguments":{"type":["string","object","null"]}}})"},
    // Of the names for what an assistant thought, those that are no text are passed over.
    NamedSchema{"AssistantMessage", R"({"type":"object","required":["role"],"properties":{
      "role":{"const":"assistant"},"content":{"anyOf":[{"type":["string","null"]},
      {"type":"array","items":{"anyOf":[{"$ref":"#/components/schemas/TextPart"},
        {"type":"object","required":["type"],"properties":{
        "type":{"enum":["thinking","reasoning","redacted_thinking"]}}}]}}]},
      "name":{"type":["string","null"],"maxLength":256},
      "reasoning_content":{"type":["string","null"]},"reasoning":{},"reasoning_text":{},"thinking":{},
      "reasoning_details":{},
      "tool_calls":{"type":["array","null"],"items":{"type":"object","required":["function"],
        "properties":{"id":{"type":["string","null"],"maxLength":256},
        "function":{"$ref":"#/components/schemas/CalledFunction"}}}},
      "function_call":{"anyOf":[{"type":"null"},{"$ref":"#/components/schemas/CalledFunction"}]}}})"},
    NamedSchema{"Message",
                R"({"anyOf":[{"type":"object","required":["role","content"],"properties":{
      "role":{"enum":["system","developer","user"]},
      "content":{"anyOf":[{"type":"string"},
        {"type":"array","items":{"$ref":"#/components/schemas/TextPart"}}]},
      "name":{"type":["string","null"],"maxLength":256}}},
      {"$ref":"#/components/schemas/AssistantMessage"},
      {"type":"object","required":["role"],"properties":{"role":{"const":"tool"},
      "content":{"anyOf":[{"type":["string","null"]},
        {"type":"array","items":{"$ref":"#/components/schemas/TextPart"}}]},
      "name":{"type":["string","null"],"maxLength":256},
      "tool_call_id":{"type":["string","null"],"maxLength":256}}},
      {"type":"object","required":["role","name"],"properties":{"role":{"const":"function"},
      "content":{"anyOf":[{"type":["string","null"]},
        {"type":"array","items":{"$ref":"#/components/schemas/TextPart"}}]},
      "name":{"type":"string","maxLength":256}}}]})"},
    NamedSchema{"Function", R"({"type":"object","required":["name"],"properties":{
      "name":{"type":"string","minLength":1,"maxLength":256},"description":{"type":["string","null"]},
      "parameters":{"type":["object","null"]},"strict":{"type":["boolean","null"]}}})"},
    NamedSchema{"Tool", R"({"anyOf":[{"type":"object","required":["function"],"properties":{
      "type":{"enum":["function",null]},"function":{"$ref":"#/components/schemas/Function"}}},
      {"type":"object","description":"Other tools are not offered to the model.","required":["type"],
      "properties":{"type":{"type":"string","not":{"const":"function"}}}}]})"},
    NamedSchema{"NamedTool", R"({"type":"object","required":["function"],"properties":{
      "type":{"enum":["function",null]},"function":{"type":"object","required":["name"],
      "properties":{"name":{"type":"string"}}}}})"},
    NamedSchema{"ToolChoice", R"({"anyOf":[{"enum":["none","auto","required",null]},
      {"$ref":"#/components/schemas/NamedTool"},
      {"type":"object","required":["type","allowed_tools"],"properties":{
      "type":{"const":"allowed_tools"},"allowed_tools":{"type":"object","required":["tools"],
      "properties":{"mode":{"enum":["auto","required",null]},"tools":{"type":"array","minItems":1,
      "items":{"$ref":"#/components/schemas/NamedTool"}}}}}}]})"},
    NamedSchema{"ChatRequest", R"({"allOf":[{"$ref":"#/components/schemas/Generation"},
      {"$ref":"#/components/schemas/Thinking"},{"type":"object","required":["messages"],"properties":{
      "messages":{"type":"array","minItems":1,"maxItems":100000,
        "items":{"$ref":"#/components/schemas/Message"}},
      "tools":{"type":["array","null"],"maxItems":1000,"items":{"$ref":"#/components/schemas/Tool"}},
      "tool_choice":{"$ref":"#/components/schemas/ToolChoice"},
      "parallel_tool_calls":{"type":["boolean","null"]},
      "functions":{"type":["array","null"],"maxItems":1000,
        "items":{"$ref":"#/components/schemas/Function"}},
      "function_call":{"anyOf":[{"enum":["none","auto",null]},{"type":"object","required":["name"],
        "properties":{"name":{"type":"string"}}}]},
      "continue_final_message":{"type":["boolean","null"]},
      "add_generation_prompt":{"type":["boolean","null"]},
      "logprobs":{"type":["boolean","null"]},
      "top_logprobs":{"type":["integer","null"],"minimum":0,"maximum":20},
      "max_tokens":{"$ref":"#/components/schemas/OutputBudget"},
      "max_completion_tokens":{"$ref":"#/components/schemas/OutputBudget"}}}]})"},
    NamedSchema{"CompletionRequest", R"({"allOf":[{"$ref":"#/components/schemas/Generation"},
      {"type":"object","required":["prompt"],"properties":{"prompt":{"anyOf":[{"type":"string"},
      {"$ref":"#/components/schemas/Tokens"},{"type":"array","minItems":1,"maxItems":64,
      "items":{"anyOf":[{"type":"string"},{"$ref":"#/components/schemas/Tokens"}]}}]},
      "suffix":{"type":["string","null"]},"echo":{"type":["boolean","null"]},
      "best_of":{"type":["integer","null"],"minimum":1,"maximum":8,"description":"The same as n."},
      "max_tokens":{"type":["integer","null"],"minimum":-1},
      "logprobs":{"type":["integer","null"],"minimum":0,"maximum":20}}}]})"},
    NamedSchema{"EmbeddingInput", R"({"anyOf":[{"type":"string"},
      {"$ref":"#/components/schemas/Tokens"},{"type":"array","minItems":1,"maxItems":2048,
      "items":{"anyOf":[{"type":"string"},{"$ref":"#/components/schemas/Tokens"}]}}]})"},
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
      "role":{"const":"assistant"},"content":{"type":["string","null"]},
      "reasoning_content":{"type":"string"},"tool_calls":{"type":"array"},
      "function_call":{"$ref":"#/components/schemas/CalledFunction"}}},
      "finish_reason":{"enum":["stop","length","tool_calls","function_call","content_filter"]}}}},
      "usage":{"$ref":"#/components/schemas/Usage"},"timings":{"type":"object"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})",
        "", true},
    RouteSchemas{"POST", "/v1/chat/completions/input_tokens", "How many tokens a conversation has.",
                 R"({"$ref":"#/components/schemas/ChatRequest"})",
                 R"({"$ref":"#/components/schemas/Count"})"},
    RouteSchemas{
        "POST", "/v1/completions", "The continuation of prompts.",
        R"({"$ref":"#/components/schemas/CompletionRequest"})",
        R"({"type":"object","required":["id","object","created","model","choices","usage","timings"],
      "properties":{"id":{"type":"string"},"object":{"const":"text_completion"},
      "created":{"type":"integer"},"model":{"type":"string"},"choices":{"type":"array","minItems":1,
      "items":{"type":"object","required":["index","text","logprobs","finish_reason"],"properties":{
      "index":{"type":"integer"},"text":{"type":"string"},"logprobs":{"type":["object","null"]},
      "finish_reason":{"enum":["stop","length","content_filter"]}}}},
      "usage":{"$ref":"#/components/schemas/Usage"},"timings":{"type":"object"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})",
        "", true},
    RouteSchemas{
        "POST", "/v1/embeddings", "Texts as vectors.",
        R"({"type":"object","required":["input"],"properties":{"model":{"type":["string","null"]},
      "input":{"$ref":"#/components/schemas/EmbeddingInput"},"encoding_format":{"enum":["float","base64",null]},
      "dimensions":{"type":"null"}}})",
        R"({"type":"object","required":["object","data","model","usage"],"properties":{
      "object":{"const":"list"},"data":{"type":"array","minItems":1,"items":{"type":"object",
      "required":["object","index","embedding"],"properties":{"object":{"const":"embedding"},
      "index":{"type":"integer"},"embedding":{"anyOf":[{"type":"string"},
      {"type":"array","items":{"type":"number"}}]}}}},"model":{"type":"string"},
      "usage":{"type":"object","required":["prompt_tokens","total_tokens"]}}})"},
};

}  // namespace vernal::openai_http
