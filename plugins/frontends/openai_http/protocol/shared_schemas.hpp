// What the APIs' requests have in common, as the description of the API tells it: the schemas of
// sampling_fields.cpp, answer_format.cpp, thinking_fields.cpp and generation_request.cpp.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kSharedComponents = {
    NamedSchema{"Warnings", R"({"type":"array","items":{"type":"string"}})"},
    NamedSchema{"Tokens",
                R"({"type":"array","items":{"type":"integer","minimum":0,"maximum":2147483647}})"},
    NamedSchema{"TextPart", R"({"anyOf":[{"type":"object","required":["type","text"],"properties":{
      "type":{"enum":["text","input_text","output_text"]},"text":{"type":"string"}}},
      {"type":"object","required":["type","refusal"],"properties":{"type":{"const":"refusal"},
      "refusal":{"type":"string"}}}]})"},
    NamedSchema{"OutputBudget", R"({"type":["integer","null"],"minimum":-1,"not":{"const":0},
      "description":"-1: as much as fits"})"},
    NamedSchema{"StopTexts", R"({"anyOf":[{"type":["string","null"],"maxLength":1024},
      {"type":"array","maxItems":16,"items":{"type":"string","maxLength":1024}}]})"},
    NamedSchema{"BannedTexts", R"({"type":["array","null"],"maxItems":1024,
      "items":{"type":"string","maxLength":256}})"},
    // How a request is answered.
    NamedSchema{"Delivery", R"({"type":"object","properties":{"model":{"type":["string","null"]},
      "stream":{"type":["boolean","null"]},
      "stream_options":{"type":["object","null"],"properties":{
        "include_usage":{"type":["boolean","null"]}}},
      "n":{"type":["integer","null"],"minimum":1,"maximum":8},
      "timings_per_token":{"type":["boolean","null"]},
      "return_progress":{"type":["boolean","null"]}}})"},
    // Of the temperature each API has its own schema.
    NamedSchema{"SamplingSettings", R"({"type":"object","properties":{
      "top_k":{"type":["integer","null"],"minimum":-1,"maximum":2147483647},
      "top_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "min_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "typical_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "typ_p":{"type":["number","null"],"minimum":0,"maximum":1},
      "top_n_sigma":{"type":["number","null"],"minimum":-1,"maximum":100},
      "min_keep":{"type":["integer","null"],"minimum":0,"maximum":2147483647},
      "xtc_probability":{"type":["number","null"],"minimum":0,"maximum":1},
      "xtc_threshold":{"type":["number","null"],"minimum":0,"maximum":1},
      "dynatemp_range":{"type":["number","null"],"minimum":0,"maximum":2},
      "dynatemp_exponent":{"type":["number","null"],"minimum":0,"maximum":10},
      "presence_penalty":{"type":["number","null"],"minimum":-2,"maximum":2},
      "frequency_penalty":{"type":["number","null"],"minimum":-2,"maximum":2},
      "repetition_penalty":{"type":["number","null"],"minimum":0.01,"maximum":100},
      "repeat_penalty":{"type":["number","null"],"minimum":0.01,"maximum":100},
      "penalty_last_n":{"type":["integer","null"],"minimum":-1,"maximum":2147483647},
      "repeat_last_n":{"type":["integer","null"],"minimum":-1,"maximum":2147483647},
      "dry_multiplier":{"type":["number","null"],"minimum":0,"maximum":100},
      "dry_base":{"type":["number","null"],"minimum":1,"maximum":100},
      "dry_allowed_length":{"type":["integer","null"],"minimum":1,"maximum":2147483647},
      "dry_penalty_last_n":{"type":["integer","null"],"minimum":-1,"maximum":2147483647},
      "dry_sequence_breakers":{"type":["array","null"],"maxItems":64,
        "items":{"type":"string","maxLength":64}},
      "mirostat":{"type":["integer","null"],"minimum":0,"maximum":2},
      "mirostat_mode":{"type":["integer","null"],"minimum":0,"maximum":2},
      "mirostat_tau":{"type":["number","null"],"minimum":0,"maximum":100},
      "mirostat_eta":{"type":["number","null"],"minimum":0,"maximum":1},
      "samplers":{"anyOf":[{"type":["string","null"],"pattern":"^[edskypmxt]*$"},
        {"type":"array","items":{"type":"string"}}]},
      "logit_bias":{"anyOf":[{"type":["object","null"],"additionalProperties":
        {"anyOf":[{"type":["number","null"],"minimum":-100,"maximum":100},{"const":false}]}},
        {"type":"array","maxItems":4096,"items":{"type":"array","minItems":2,"maxItems":2,"prefixItems":[
        {"type":["string","integer"],"minimum":0},
        {"anyOf":[{"type":"number","minimum":-100,"maximum":100},{"const":false}]}]}}]},
      "seed":{"type":["integer","null"],"minimum":-9223372036854775808,
        "maximum":18446744073709551615},
      "min_tokens":{"type":["integer","null"],"minimum":0},
      "ignore_eos":{"type":["boolean","null"]},
      "bad_words":{"$ref":"#/components/schemas/BannedTexts"},
      "banned_strings":{"$ref":"#/components/schemas/BannedTexts"}}})"},
    // What an answer is held to.
    NamedSchema{"JsonSchema", R"({"type":["object","boolean","string","null"],
      "description":"A JSON Schema, or a text that is one."})"},
    NamedSchema{"ResponseFormat", R"({"type":["object","null"],"required":["type"],"properties":{
      "type":{"enum":["text","json_object","json_schema"]},
      "schema":{"$ref":"#/components/schemas/JsonSchema"},"strict":{"type":["boolean","null"]},
      "json_schema":{"type":["object","null"],"required":["schema"],"properties":{
        "name":{"type":["string","null"]},"schema":{"$ref":"#/components/schemas/JsonSchema"},
        "strict":{"type":["boolean","null"]}}}}})"},
    NamedSchema{"Choices",
                R"({"type":["array","null"],"maxItems":4096,"items":{"type":"string"}})"},
    NamedSchema{"AnswerFormat",
                R"({"type":"object","description":"Only one of these asks for a format.",
      "properties":{
      "response_format":{"$ref":"#/components/schemas/ResponseFormat"},
      "output_format":{"$ref":"#/components/schemas/ResponseFormat"},
      "output_config":{"type":["object","null"],"properties":{
        "format":{"$ref":"#/components/schemas/ResponseFormat"}}},
      "json_schema":{"$ref":"#/components/schemas/JsonSchema"},
      "guided_json":{"$ref":"#/components/schemas/JsonSchema"},
      "grammar":{"type":["string","null"]},"ebnf":{"type":["string","null"]},
      "guided_grammar":{"type":["string","null"]},
      "regex":{"type":["string","null"]},"guided_regex":{"type":["string","null"]},
      "guided_choice":{"$ref":"#/components/schemas/Choices"},
      "structured_outputs":{"type":["object","null"],"properties":{
        "json":{"$ref":"#/components/schemas/JsonSchema"},"regex":{"type":["string","null"]},
        "choice":{"$ref":"#/components/schemas/Choices"},"grammar":{"type":["string","null"]},
        "json_object":{"type":["boolean","null"]}}}}})"},
    // How much the model thinks.
    NamedSchema{"TokenBudget", R"({"type":["integer","null"],"minimum":0,"maximum":1000000000})"},
    NamedSchema{"Thinking", R"({"type":"object","properties":{
      "reasoning_effort":{"type":["string","null"]},"think":{},
      "reasoning":{"properties":{"effort":{"type":["string","null"]},"enabled":{},
        "max_tokens":{"$ref":"#/components/schemas/TokenBudget"}}},
      "thinking":{"properties":{"budget_tokens":{"$ref":"#/components/schemas/TokenBudget"}}},
      "thinking_budget":{"$ref":"#/components/schemas/TokenBudget"},
      "thinking_budget_tokens":{"$ref":"#/components/schemas/TokenBudget"},
      "chat_template_kwargs":{"type":["object","null"]}}})"},
};

}  // namespace vernal::openai_http
