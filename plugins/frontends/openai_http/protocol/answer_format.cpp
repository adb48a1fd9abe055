#include "openai_http/protocol/answer_format.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/exact_json.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

using Format = std::optional<json::object>;

constexpr std::size_t kMaxSchemaDepth = 128;

bool is_schema(const json::value& value) { return value.is_object() || value.is_bool(); }

/// A schema as it is, or as text that is one.
json::value schema_of(const JsonFields& fields, std::string_view key) {
  const json::value& value = *fields.find(key);
  if (is_schema(value)) return value;
  const json::string* const text = value.if_string();
  if (text == nullptr) fields.refuse(key, "a JSON Schema");
  // Numbers keep their digits below a member of this name.
  const std::string document = fmt::format("{{\"schema\":{}}}", text_of(*text));
  const ParsedJson parsed = parse_exact_json(document, kMaxSchemaDepth, {});
  const json::object* const object = parsed.error ? nullptr : parsed.value.if_object();
  const bool is_one =
      object != nullptr && parsed.num_bytes == document.size() && object->size() == 1;
  if (!is_one || !is_schema(object->begin()->value())) fields.refuse(key, "a JSON Schema");
  return object->begin()->value();
}

Format schema_format(const JsonFields& fields, std::string_view key, bool is_strict = false) {
  if (fields.find(key) == nullptr) return std::nullopt;
  return json::object{
      {"type", "json_schema"}, {"schema", schema_of(fields, key)}, {"strict", is_strict}};
}

Format pattern_format(const JsonFields& fields, std::string_view key) {
  const auto pattern = fields.string(key);
  if (!pattern || pattern->empty()) return std::nullopt;
  return json::object{{"type", "regex"}, {"pattern", *pattern}};
}

Format grammar_format(const JsonFields& fields, std::string_view key) {
  const auto grammar = fields.string(key);
  if (!grammar || grammar->empty()) return std::nullopt;
  return json::object{{"type", "gbnf"}, {"grammar", *grammar}};
}

Format choice_format(const JsonFields& fields, std::string_view key) {
  const json::array* const choices = fields.array(key);
  if (choices == nullptr || choices->empty()) return std::nullopt;
  return json::object{{"type", "choices"}, {"choices", *choices}};
}

/// {"type": "json_schema", "json_schema": {"schema": ..., "strict": ...}}, and beside it the forms of
/// llama-server, Anthropic and the Responses API, which have the schema one level higher.
Format response_format(const JsonFields& fields, std::string_view key) {
  const json::object* const format = fields.object(key);
  if (format == nullptr) return std::nullopt;
  const JsonFields own(*format, fields.path_of(key) + ".");
  const std::string_view type = own.required_string("type");
  if (type == "text") return std::nullopt;
  if (type == "json_object") {
    if (own.find("schema") != nullptr) return schema_format(own, "schema");
    return json::object{{"type", "json"}};
  }
  if (type != "json_schema") own.refuse("type", "one of text, json_object, json_schema");
  const json::object* const named = own.object("json_schema");
  if (named == nullptr && own.find("schema") != nullptr) {
    return schema_format(own, "schema", own.boolean("strict").value_or(false));
  }
  if (named == nullptr) own.refuse("json_schema", "an object with a member schema");
  const JsonFields inner(*named, own.path_of("json_schema") + ".");
  if (inner.find("schema") == nullptr) inner.refuse("schema", "an object that is a JSON Schema");
  return schema_format(inner, "schema", inner.boolean("strict").value_or(false));
}

Format as_response_format(const JsonFields& fields, std::string_view key) {
  return response_format(fields, key);
}
Format as_schema(const JsonFields& fields, std::string_view key) {
  return schema_format(fields, key);
}

/// {"json": ...} or {"regex": ...} and so on, as vLLM has it.
Format structured_outputs(const JsonFields& fields, std::string_view key) {
  const json::object* const outputs = fields.object(key);
  if (outputs == nullptr || outputs->empty()) return std::nullopt;
  const JsonFields own(*outputs, fields.path_of(key) + ".");
  if (Format format = schema_format(own, "json")) return format;
  if (Format format = pattern_format(own, "regex")) return format;
  if (Format format = choice_format(own, "choice")) return format;
  if (Format format = grammar_format(own, "grammar")) return format;
  if (own.boolean("json_object").value_or(false)) return json::object{{"type", "json"}};
  fields.refuse(key, "an object with one of json, regex, choice, grammar, json_object");
}

/// {"format": ...} beside other members, as Anthropic and the Responses API have it.
Format nested_format(const JsonFields& fields, std::string_view key) {
  const json::object* const config = fields.object(key);
  if (config == nullptr) return std::nullopt;
  return response_format(JsonFields(*config, fields.path_of(key) + "."), "format");
}

struct Member {
  std::string_view name;
  Format (*read)(const JsonFields& fields, std::string_view key);
};

constexpr std::array kMembers = {
    Member{"response_format", as_response_format},
    Member{"output_format", as_response_format},
    Member{"output_config", nested_format},
    Member{"json_schema", as_schema},
    Member{"guided_json", as_schema},
    Member{"grammar", grammar_format},
    Member{"ebnf", grammar_format},
    Member{"guided_grammar", grammar_format},
    Member{"regex", pattern_format},
    Member{"guided_regex", pattern_format},
    Member{"guided_choice", choice_format},
    Member{"structured_outputs", structured_outputs},
};

/// `text` means other things in other APIs.
constexpr std::array kMembersOfResponses = {Member{"text", nested_format}};

/// `asked_by`: the path of the member that has asked for the document's format; empty: none.
void read_formats(const JsonFields& fields, std::span<const Member> members, std::string& asked_by,
                  json::object& document) {
  for (const auto& [name, read] : members) {
    Format format = read(fields, name);
    if (!format) continue;
    if (!asked_by.empty() && *format != document["format"]) {
      throw RequestRefused(
          invalid_value(fields.path_of(name),
                        fmt::format("Invalid value for '{}': '{}' asks for another format already.",
                                    name, asked_by)));
    }
    asked_by = std::string(name) + (read == nested_format ? ".format" : "");
    document["format"] = std::move(*format);
  }
}

}  // namespace

std::string read_answer_format(const JsonFields& fields, json::object& document) {
  std::string asked_by;
  read_formats(fields, kMembers, asked_by, document);
  return asked_by;
}

std::string read_response_format(const JsonFields& fields, json::object& document) {
  std::string asked_by = read_answer_format(fields, document);
  read_formats(fields, kMembersOfResponses, asked_by, document);
  return asked_by;
}

}  // namespace vernal::openai_http
