// The routes of llama-server's native API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kNativeComponents = {
    NamedSchema{"NativeError",
                R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",
      "required":["code","message","type"],"properties":{"code":{"type":"integer"},
      "message":{"type":"string"},"type":{"type":"string"}}}}})"},
    NamedSchema{"PromptPieces", R"({"anyOf":[{"type":"string"},{"type":"array","items":{
      "type":["string","integer"],"minimum":0,"maximum":2147483647}}]})"},
    // A temperature below 0 is 0.
    NamedSchema{"NativeSettings", R"({"allOf":[{"$ref":"#/components/schemas/Delivery"},
      {"$ref":"#/components/schemas/SamplingSettings"},{"$ref":"#/components/schemas/AnswerFormat"},
      {"type":"object","properties":{"temperature":{"type":["number","null"],"maximum":2},
      "stop":{"$ref":"#/components/schemas/StopTexts"},
      "n_predict":{"type":["integer","null"]},"max_tokens":{"type":["integer","null"]},
      "n_cmpl":{"type":["integer","null"],"minimum":1,"maximum":8},
      "n_probs":{"type":["integer","null"],"minimum":0,"maximum":20},
      "response_fields":{"type":["array","null"],"items":{"type":"string"}},
      "cache_prompt":{"type":["boolean","null"]},"return_tokens":{"type":["boolean","null"]},
      "post_sampling_probs":{"enum":[false,null]},
      "t_max_predict_ms":{"type":["integer","null"],"maximum":0},"id_slot":{}}}]})"},
    NamedSchema{"NativeChoice", R"({"type":"object",
      "description":"All members, or those that response_fields names.",
      "properties":{"index":{"type":"integer"},
      "content":{"type":"string"},"tokens":{"$ref":"#/components/schemas/Tokens"},
      "stop":{"const":true},"id_slot":{"type":"integer"},"model":{"type":"string"},
      "tokens_predicted":{"type":"integer"},"tokens_evaluated":{"type":"integer"},
      "generation_settings":{"type":"object"},"prompt":{"type":"string"},
      "has_new_line":{"type":"boolean"},"truncated":{"type":"boolean"},
      "stop_type":{"enum":["eos","word","limit"]},"stopping_word":{"type":"string"},
      "tokens_cached":{"type":"integer"},"timings":{"type":"object"},
      "warnings":{"$ref":"#/components/schemas/Warnings"}}})"},
    NamedSchema{"NativeAnswer", R"({"anyOf":[{"$ref":"#/components/schemas/NativeChoice"},
      {"type":"array","items":{"$ref":"#/components/schemas/NativeChoice"}}]})"},
};

inline constexpr std::array kNativeRoutes = {
    RouteSchemas{"POST", "/tokenize", "The tokens of a text.",
                 R"({"type":"object","properties":{"model":{"type":["string","null"]},
      "content":{"anyOf":[{"type":"null"},{"$ref":"#/components/schemas/PromptPieces"}]},
      "add_special":{"type":["boolean","null"]},"parse_special":{"type":["boolean","null"]},
      "with_pieces":{"type":["boolean","null"]}}})",
                 R"({"type":"object","required":["tokens"],"properties":{"tokens":{"anyOf":[
      {"$ref":"#/components/schemas/Tokens"},{"type":"array","items":{"type":"object",
      "required":["id","piece"]}}]}}})"},
    RouteSchemas{
        "POST", "/detokenize", "The text of tokens.",
        R"({"type":"object","properties":{"model":{"type":["string","null"]},
      "tokens":{"anyOf":[{"type":"null"},{"$ref":"#/components/schemas/Tokens"}]}}})",
        R"({"type":"object","required":["content"],"properties":{"content":{"type":"string"}}})"},
    RouteSchemas{
        "POST", "/apply-template", "The prompt that the chat template makes of messages.",
        R"({"$ref":"#/components/schemas/ChatRequest"})",
        R"({"type":"object","required":["prompt"],"properties":{"prompt":{"type":"string"}}})"},
    RouteSchemas{
        "POST", "/completion", "The continuation of prompts.",
        R"({"allOf":[{"$ref":"#/components/schemas/NativeSettings"},{"type":"object","required":["prompt"],
      "properties":{"prompt":{"anyOf":[{"$ref":"#/components/schemas/PromptPieces"},{"type":"array",
      "minItems":1,"maxItems":64,"items":{"$ref":"#/components/schemas/PromptPieces"}}]}}}]})",
        R"({"$ref":"#/components/schemas/NativeAnswer"})", "", true},
    RouteSchemas{"POST", "/infill", "What stands in a gap between two texts.",
                 R"({"allOf":[{"$ref":"#/components/schemas/NativeSettings"},{"type":"object",
      "required":["input_prefix","input_suffix"],"properties":{"input_prefix":{"type":"string"},
      "input_suffix":{"type":"string"},
      "prompt":{"anyOf":[{"type":"null"},{"$ref":"#/components/schemas/PromptPieces"}]},
      "input_extra":{"type":["array","null"],"items":{"type":"object","required":["text"],
      "properties":{"text":{"type":"string"},"filename":{"type":["string","null"]}}}}}}]})",
                 R"({"$ref":"#/components/schemas/NativeAnswer"})", "", true},
    RouteSchemas{
        "POST", "/embedding", "Texts as vectors.",
        R"({"anyOf":[{"required":["content"]},{"required":["input"]}],"type":"object",
      "properties":{"model":{"type":["string","null"]},
      "content":{"anyOf":[{"type":"null"},{"$ref":"#/components/schemas/EmbeddingInput"}]},
      "input":{"$ref":"#/components/schemas/EmbeddingInput"},"embd_normalize":{"enum":[-1,2,null]}}})",
        R"({"type":"array","items":{"type":"object","required":["index","embedding"],"properties":{
      "index":{"type":"integer"},"embedding":{"type":"array","items":{"type":"array",
      "items":{"type":"number"}}}}}})"},
    RouteSchemas{
        "GET", "/props", "What the model is, and its default settings.", "",
        R"({"type":"object","required":["default_generation_settings","total_slots","model_alias",
      "chat_template","bos_token","eos_token","build_info"],"properties":{
      "default_generation_settings":{"type":"object","required":["n_ctx","params"]},
      "total_slots":{"type":"integer"},"model_alias":{"type":"string"},"chat_template":{"type":"string"},
      "bos_token":{"type":"string"},"eos_token":{"type":"string"},"build_info":{"type":"string"}}})",
        "model"},
    RouteSchemas{
        "GET", "/slots", "What each slot of the model does.", "",
        R"({"type":"array","items":{"type":"object","required":["id","id_task","n_ctx","is_processing",
      "params","next_token"],"properties":{"id":{"type":"integer"},"id_task":{"type":"integer"},
      "n_ctx":{"type":"integer"},"is_processing":{"type":"boolean"},"params":{"type":"object"},
      "next_token":{"type":"array"}}}})",
        "model fail_on_no_slot"},
};

}  // namespace vernal::openai_http
