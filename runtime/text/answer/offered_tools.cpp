#include "text/answer/offered_tools.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "text/answer/values/json_text.hpp"
#include "text/answer/values/value_transducer.hpp"
#include "text/exact_json.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostReferences = 16;

const json::value* member(const json::object& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

const json::object* object_member(const json::object& object, std::string_view key) {
  const json::value* const value = member(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

/// The schema that "#/a/b" names in `root`; null if there is none.
const json::object* resolve(const json::object& root, std::string_view reference) {
  if (!reference.starts_with("#/")) return nullptr;
  const json::value* value = nullptr;
  const json::object* at = &root;
  reference.remove_prefix(2);
  while (!reference.empty()) {
    const std::size_t slash = reference.find('/');
    const std::string_view key = reference.substr(0, slash);
    reference.remove_prefix(slash == std::string_view::npos ? reference.size() : slash + 1);
    value = at == nullptr ? nullptr : member(*at, key);
    at = value == nullptr ? nullptr : value->if_object();
  }
  return at;
}

void add_type(std::string_view name, ParameterType& type) {
  type.is_string |= name == "string";
  type.is_null |= name == "null";
  type.is_integer |= name == "integer";
  type.is_number |= name == "number";
  type.is_boolean |= name == "boolean";
  type.is_array |= name == "array";
  type.is_object |= name == "object";
}

/// Adds what a schema allows. `depth` bounds references and unions.
void add_schema(const json::object& schema, const json::object& root, std::size_t depth,
                ParameterType& type) {
  if (depth > kMostReferences) return;
  if (const json::value* const name = member(schema, "type")) {
    if (const json::string* const one = name->if_string())
      add_type({one->data(), one->size()}, type);
    if (const json::array* const several = name->if_array()) {
      for (const json::value& each : *several) {
        if (const json::string* const one = each.if_string()) {
          add_type({one->data(), one->size()}, type);
        }
      }
    }
  }
  if (const json::value* const values = member(schema, "enum")) {
    if (values->is_array()) type.values = &values->get_array();
  }
  for (const std::string_view key : {"anyOf", "oneOf", "allOf"}) {
    const json::value* const list = member(schema, key);
    if (list == nullptr || !list->is_array()) continue;
    for (const json::value& each : list->get_array()) {
      if (each.is_object()) add_schema(each.get_object(), root, depth + 1, type);
    }
  }
  if (const json::value* const reference = member(schema, "$ref")) {
    const json::string* const text = reference->if_string();
    const json::object* const target =
        text == nullptr ? nullptr : resolve(root, {text->data(), text->size()});
    if (target != nullptr) add_schema(*target, root, depth + 1, type);
  }
}

bool is_integral(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) return true;
  const double value = double_of(number);
  return value < 1e15 && value > -1e15 && value == std::trunc(value);
}

/// Whether a JSON text is of one of the types.
bool fits(std::string_view text, const ParameterType& type) {
  switch (text.front()) {
    case '{':
      return type.is_object;
    case '[':
      return type.is_array;
    case '"':
      return type.is_string;
    case 't':
    case 'f':
      return type.is_boolean;
    case 'n':
      return type.is_null;
    default:
      return type.is_number || (type.is_integer && is_integral(text));
  }
}

/// The enum's value that a text stands for, as JSON.
std::optional<std::string> enum_value(std::string_view text, const json::array& values) {
  const std::optional<std::string> literal = literal_to_json(text);
  for (const json::value& value : values) {
    const json::string* const string = value.if_string();
    const bool is_text = string != nullptr && !is_written_number(value);
    if (is_text && std::string_view(string->data(), string->size()) == text) {
      return json_string(text);
    }
    if (!is_text && literal && exact_json_text(value) == *literal) return literal;
  }
  return std::nullopt;
}

}  // namespace

bool ParameterType::is_text() const noexcept {
  if (!is_declared) return true;
  const bool has_others = is_null || is_integer || is_number || is_boolean || is_array || is_object;
  const auto is_string_value = [](const json::value& value) {
    return value.is_string() && !is_written_number(value);
  };
  const bool lists_others =
      values != nullptr && !std::all_of(values->begin(), values->end(), is_string_value);
  return !has_others && !lists_others && (is_string || values != nullptr);
}

OfferedTools::OfferedTools(const std::vector<ToolDefinition>& tools) {
  for (const ToolDefinition& tool : tools) {
    const json::object* const function = object_member(tool.definition, "function");
    const json::object* const parameters =
        function == nullptr ? nullptr : object_member(*function, "parameters");
    parameters_.emplace(tool.name, parameters);
  }
}

const json::object* OfferedTools::properties(std::string_view tool) const {
  const auto found = parameters_.find(tool);
  if (found == parameters_.end() || found->second == nullptr) return nullptr;
  const json::object* schema = found->second;
  for (std::size_t i = 0; i < kMostReferences && schema != nullptr; ++i) {
    const json::value* const reference = member(*schema, "$ref");
    if (reference == nullptr || !reference->is_string()) break;
    const json::string& text = reference->get_string();
    schema = resolve(*found->second, {text.data(), text.size()});
  }
  return schema == nullptr ? nullptr : object_member(*schema, "properties");
}

ParameterType OfferedTools::type_of(std::string_view tool, std::string_view parameter) const {
  ParameterType type;
  const json::object* const all = properties(tool);
  const json::value* const schema = all == nullptr ? nullptr : member(*all, parameter);
  if (schema == nullptr) return type;
  type.is_declared = true;
  if (schema->is_object()) {
    add_schema(schema->get_object(), *parameters_.find(tool)->second, 0, type);
  }
  return type;
}

std::vector<std::string> OfferedTools::text_parameters(std::string_view tool) const {
  std::vector<std::string> names;
  const json::object* const all = properties(tool);
  if (all == nullptr) return names;
  for (const auto& parameter : *all) {
    const std::string_view name(parameter.key().data(), parameter.key().size());
    if (type_of(tool, name).is_text()) names.emplace_back(name);
  }
  return names;
}

std::string_view OfferedTools::only_parameter(std::string_view tool) const {
  const json::object* const all = properties(tool);
  if (all == nullptr || all->size() != 1) return {};
  return {all->begin()->key().data(), all->begin()->key().size()};
}

std::string value_to_json(std::string_view text, const ParameterType& type) {
  if (type.is_text()) return json_string(text);
  if (type.values != nullptr) {
    const std::optional<std::string> value = enum_value(text, *type.values);
    return value ? *value : json_string(text);
  }
  const std::optional<std::string> literal = literal_to_json(text);
  if (!literal) return json_string(text);
  const bool is_quoted = literal->front() == '"';
  if (type.has_type() && (is_quoted || !fits(*literal, type))) return json_string(text);
  return *literal;
}

}  // namespace vernal
