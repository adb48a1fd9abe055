// What each keyword of a schema means for its node.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "text/grammar/regex/number_languages.hpp"
#include "text/grammar/schema/schema_reader.hpp"

namespace vernal::grammar {
namespace {

namespace json = boost::json;

struct TypeName {
  std::string_view name;
  std::uint8_t bits;
};

constexpr auto kTypeNames = std::to_array<TypeName>({
    {"null", kNull},
    {"boolean", kBoolean},
    {"integer", kInteger},
    {"number", kInteger | kOtherNumber},
    {"string", kString},
    {"array", kArray},
    {"object", kObject},
    {"any", kAllTypes},
});

std::uint8_t type_bits(const json::value& value) {
  const json::string* text = value.if_string();
  for (const TypeName& known : kTypeNames) {
    if (text != nullptr && std::string_view(*text) == known.name) {
      return known.bits;
    }
  }
  return 0;
}

bool is_true(const json::object& object, const char* keyword) {
  const json::value* value = object.if_contains(keyword);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

void SchemaReader::read_keyword(SchemaNode& node, std::string_view keyword,
                                const json::value& value) {
  // What no reader knows says nothing about the value.
  if (!read_scalar_keyword(node, keyword, value) && !read_array_keyword(node, keyword, value) &&
      !read_object_keyword(node, keyword, value)) {
    read_applicator(node, keyword, value);
  }
}

void SchemaReader::read_type(SchemaNode& node, const json::value& value) {
  std::uint8_t types = 0;
  bool is_known = true;
  const auto add_type = [&](const json::value& name) {
    if (name.is_object()) {  // draft 3 allowed schemas here
      is_known = false;
    } else {
      types = static_cast<std::uint8_t>(types | type_bits(name));
      is_known = is_known && type_bits(name) != 0;
    }
  };
  if (const json::array* names = value.if_array()) {
    std::for_each(names->begin(), names->end(), add_type);
  } else {
    add_type(value);
  }
  if (!is_known) {
    warn(node, "type", "an unknown type; the keyword is ignored");
    return;
  }
  node.types = static_cast<std::uint8_t>(node.types & types);
}

void SchemaReader::read_bound(SchemaNode& node, const char* keyword, const json::value& value) {
  const std::string_view name = keyword;
  const bool is_exclusive = name.substr(0, 9) == "exclusive";
  if (is_exclusive && value.is_bool()) {
    return;  // draft 4: finish() looks at it
  }
  if (const std::optional<Decimal> bound = number(node, keyword, value)) {
    const bool is_minimum = name == "minimum" || name == "exclusiveMinimum";
    const std::uint8_t side = is_minimum ? kGreater : kLess;
    node.bounds.push_back(
        {keyword, *bound, static_cast<std::uint8_t>(is_exclusive ? side : side | kEqual)});
  }
}

bool SchemaReader::read_scalar_keyword(SchemaNode& node, std::string_view keyword,
                                       const json::value& value) {
  for (const char* bound : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    if (keyword == bound) {
      read_bound(node, bound, value);
      return true;
    }
  }
  if (keyword == "type") {
    read_type(node, value);
  } else if (keyword == "enum" || keyword == "const") {
    const json::array* values = value.if_array();
    if (keyword == "enum" && values == nullptr) {
      warn(node, keyword, "an array is expected; it is ignored");
      return true;
    }
    if (node.has_enum) {  // both: a value fits both
      const NodeId other = add(node.pointer);
      document_.nodes_[other].has_enum = true;
      std::swap(document_.nodes_[other].scalars, node.scalars);
      std::swap(document_.nodes_[other].containers, node.containers);
      node.all_of.push_back(other);
    }
    node.has_enum = true;
    if (keyword == "const") {
      read_value(node, value);
    } else {
      for (const json::value& one : *values) {
        read_value(node, one);
      }
    }
  } else if (keyword == "multipleOf") {
    node.multiple_of = number(node, keyword, value);
  } else if (keyword == "minLength") {
    node.min_length = count(node, keyword, value, 0);
  } else if (keyword == "maxLength") {
    node.max_length = count(node, keyword, value, kNoLimit);
  } else if (keyword == "pattern" || keyword == "format") {
    const json::string* text = value.if_string();
    if (text == nullptr) {
      warn(node, keyword, "a string is expected; it is ignored");
    } else {
      (keyword == "pattern" ? node.pattern : node.format) = std::string(*text);
    }
  } else {
    return false;
  }
  return true;
}

bool SchemaReader::read_array_keyword(SchemaNode& node, std::string_view keyword,
                                      const json::value& value) {
  if (keyword == "prefixItems" || (keyword == "items" && value.is_array())) {
    node.prefix_items = children(node, keyword, value);
  } else if (keyword == "items") {
    node.items = child(node, keyword, value);
  } else if (keyword == "minItems") {
    node.min_items = count(node, keyword, value, 0);
  } else if (keyword == "maxItems") {
    node.max_items = count(node, keyword, value, kNoLimit);
  } else if (keyword == "contains") {
    node.contains = child(node, keyword, value);
  } else if (keyword == "minContains") {
    node.min_contains = count(node, keyword, value, 1);
  } else if (keyword == "maxContains") {
    node.max_contains = count(node, keyword, value, kNoLimit);
  } else if (keyword == "uniqueItems") {
    node.has_unique_items = value.is_bool() && value.get_bool();
  } else if (keyword == "unevaluatedItems" && draft_ != Draft::kSeven && draft_ != Draft::kOld) {
    node.unevaluated_items = child(node, keyword, value);
  } else {
    return false;
  }
  return true;
}

void SchemaReader::read_dependencies(SchemaNode& node, std::string_view keyword,
                                     const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    warn(node, keyword, "an object is expected; it is ignored");
    return;
  }
  for (const auto& member : *object) {
    Dependency dependency;
    dependency.key = member.key();
    if (member.value().is_array()) {
      dependency.keys = texts(node, keyword, member.value());
    } else if (const json::string* text = member.value().if_string()) {
      dependency.keys.emplace_back(*text);
    } else {
      dependency.schema =
          child(node, fmt::format("{}/{}", keyword, dependency.key), member.value());
    }
    node.dependencies.push_back(std::move(dependency));
  }
}

bool SchemaReader::read_object_keyword(SchemaNode& node, std::string_view keyword,
                                       const json::value& value) {
  if (keyword == "properties") {
    node.properties = named_children(node, keyword, value);
  } else if (keyword == "patternProperties") {
    node.pattern_properties = named_children(node, keyword, value);
  } else if (keyword == "additionalProperties") {
    node.additional_properties = child(node, keyword, value);
  } else if (keyword == "propertyNames") {
    node.property_names = child(node, keyword, value);
  } else if (keyword == "required") {
    node.required = texts(node, keyword, value);
  } else if (keyword == "minProperties") {
    node.min_properties = count(node, keyword, value, 0);
  } else if (keyword == "maxProperties") {
    node.max_properties = count(node, keyword, value, kNoLimit);
  } else if (keyword == "dependencies" || keyword == "dependentRequired" ||
             keyword == "dependentSchemas") {
    read_dependencies(node, keyword, value);
  } else if (keyword == "unevaluatedProperties" && draft_ != Draft::kSeven &&
             draft_ != Draft::kOld) {
    node.unevaluated_properties = child(node, keyword, value);
  } else {
    return false;
  }
  return true;
}

bool SchemaReader::read_applicator(SchemaNode& node, std::string_view keyword,
                                   const json::value& value) {
  if (keyword == "allOf") {
    const std::vector<NodeId> all = children(node, keyword, value);
    node.all_of.insert(node.all_of.end(), all.begin(), all.end());
  } else if (keyword == "anyOf") {
    node.any_of = children(node, keyword, value);
  } else if (keyword == "oneOf") {
    node.one_of = children(node, keyword, value);
  } else if (keyword == "not") {
    node.not_ = child(node, keyword, value);
  } else if (keyword == "if") {
    node.if_ = child(node, keyword, value);
  } else if (keyword == "then") {
    node.then_ = child(node, keyword, value);
  } else if (keyword == "else") {
    node.else_ = child(node, keyword, value);
  } else if (keyword == "contentEncoding" || keyword == "contentMediaType") {
    warnings_.add({node.pointer, std::string(keyword), "not asserted", Loss::kIgnored});
  } else if (keyword == "$schema" && draft_ == Draft::kUnstated) {
    warnings_.add({node.pointer, "$schema", "not known: read as 2020-12", Loss::kIgnored});
  } else if (keyword == "$dynamicRef" || keyword == "$recursiveRef") {
    read_reference(node, keyword, value);
    warn(node, keyword, "taken as a reference to the schema that it names in this document");
  } else {
    return false;
  }
  return true;
}

// What several keywords say together.
void SchemaReader::finish(SchemaNode& node, const json::object& object) {
  for (NumberBound& bound : node.bounds) {
    const bool is_minimum = (bound.wanted & kGreater) != 0;
    if (is_true(object, is_minimum ? "exclusiveMinimum" : "exclusiveMaximum")) {
      bound.wanted = is_minimum ? kGreater : kLess;
    }
  }
  // Before 2020-12 an array of items is followed by additionalItems, and items beside prefixItems
  // say what follows them.
  const json::value* items = object.if_contains("items");
  const json::value* more = object.if_contains("additionalItems");
  if (items != nullptr && items->is_array() && more != nullptr) {
    node.items = child(node, "additionalItems", *more);
  }
  if (node.if_ == kNoNode) {
    node.then_ = kNoNode;
    node.else_ = kNoNode;
  }
  if (is_true(object, "nullable") && node.types != kAllTypes) {
    node.types = static_cast<std::uint8_t>(node.types | kNull);
  }
}

}  // namespace vernal::grammar
