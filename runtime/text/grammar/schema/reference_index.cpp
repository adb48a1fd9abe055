#include "text/grammar/schema/reference_index.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

namespace vernal::grammar {
namespace {

namespace json = boost::json;

constexpr int kMaxSchemaDepth = 200;

std::string_view text_of(const json::value* value) {
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::string unescape_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() + 0 &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

std::size_t end_of_scheme(std::string_view address) {
  const std::size_t colon = address.find(':');
  const std::size_t other = address.find_first_of("/?#");
  return colon != address.npos && colon < other ? colon + 1 : 0;
}

std::size_t end_of_authority(std::string_view address) {
  const std::size_t scheme = end_of_scheme(address);
  if (address.substr(scheme, 2) != "//") {
    return scheme;
  }
  return std::min(address.find_first_of("/?#", scheme + 2), address.size());
}

std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    if (segment == "/.." || segment == "/.") {
      if (segment == "/..") {
        out.erase(std::min(out.rfind('/'), out.size()));
      }
      if (path.empty()) {
        out += '/';
      }
    } else {
      out += segment;
    }
  }
  return out;
}

enum class Holds : std::uint8_t { kNothing, kSchemas, kNamedSchemas };

Holds kept_by(std::string_view keyword) {
  for (const char* known : {"properties", "patternProperties", "definitions", "$defs",
                            "dependencies", "dependentSchemas"}) {
    if (keyword == known) {
      return Holds::kNamedSchemas;
    }
  }
  for (const char* known :
       {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "items", "prefixItems",
        "additionalItems", "contains", "additionalProperties", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema"}) {
    if (keyword == known) {
      return Holds::kSchemas;
    }
  }
  return Holds::kNothing;
}

}  // namespace

std::string resolve_address(std::string_view base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  if (reference.empty() || end_of_scheme(reference) > 0) {
    return std::string(reference.empty() ? base : reference);
  }
  const std::size_t scheme = end_of_scheme(base);
  if (reference.substr(0, 2) == "//") {
    return std::string(base.substr(0, scheme)) + std::string(reference);
  }
  const std::size_t authority = end_of_authority(base);
  if (reference[0] == '/') {
    return std::string(base.substr(0, authority)) + without_dots(reference);
  }
  const std::string_view path = base.substr(authority);
  const std::size_t slash = path.rfind('/');
  std::string folder(slash == path.npos ? std::string_view() : path.substr(0, slash + 1));
  if (folder.empty() && authority > scheme) {
    folder = "/";
  }
  return std::string(base.substr(0, authority)) + without_dots(folder + std::string(reference));
}

Draft draft_of(const json::value& schema) {
  const json::object* object = schema.if_object();
  const std::string_view text =
      text_of(object != nullptr ? object->if_contains("$schema") : nullptr);
  if (text.find("draft-03") != text.npos || text.find("draft-04") != text.npos) {
    return Draft::kOld;
  }
  if (text.find("draft-06") != text.npos || text.find("draft-07") != text.npos) {
    return Draft::kSeven;
  }
  return text.find("/draft/20") != text.npos ? Draft::kModern : Draft::kUnstated;
}

ReferenceIndex::ReferenceIndex(const json::value& root, Draft draft) : draft_(draft) {
  resources_[""] = {&root, base_of(root, "")};
  collect(root, "", 0);
}

std::string ReferenceIndex::base_of(const json::value& schema, const std::string& base) const {
  const json::object* object = schema.if_object();
  if (object == nullptr) {
    return base;
  }
  // Beside "$ref", older drafts see nothing, not even an address.
  const bool is_old = draft_ == Draft::kOld || draft_ == Draft::kSeven;
  if (is_old && object->contains("$ref")) {
    return base;
  }
  const std::string_view id = text_of(object->if_contains(draft_ == Draft::kOld ? "id" : "$id"));
  return id.empty() || id[0] == '#' ? base : resolve_address(base, id);
}

void ReferenceIndex::collect(const json::value& value, const std::string& base, int depth) {
  const json::object* object = value.if_object();
  if (depth > kMaxSchemaDepth || object == nullptr) {
    return;
  }
  const std::string inner = base_of(value, base);
  if (inner != base) {
    resources_.emplace(inner, SchemaPlace{&value, inner});
  }
  for (const char* keyword : {"$anchor", "$dynamicAnchor", "$id", "id"}) {
    std::string_view name = text_of(object->if_contains(keyword));
    if (keyword[0] != '$' || keyword[1] == 'i') {
      if (name.empty() || name[0] != '#') {
        continue;
      }
      name.remove_prefix(1);
    }
    if (!name.empty()) {
      anchors_.emplace(inner + "#" + std::string(name), SchemaPlace{&value, inner});
    }
  }
  // Addresses count in schemas alone: not in data, nor below a keyword that nobody knows.
  for (const auto& member : *object) {
    const Holds holds = kept_by(member.key());
    const json::array* array = member.value().if_array();
    const json::object* inside = member.value().if_object();
    if (holds == Holds::kSchemas && array != nullptr) {
      for (const json::value& item : *array) {
        collect(item, inner, depth + 1);
      }
    } else if (holds == Holds::kSchemas) {
      collect(member.value(), inner, depth + 1);
    } else if (holds == Holds::kNamedSchemas && inside != nullptr) {
      for (const auto& named : *inside) {
        collect(named.value(), inner, depth + 1);
      }
    }
  }
}

SchemaPlace ReferenceIndex::follow(SchemaPlace place, std::string_view pointer) const {
  while (!pointer.empty() && place.value != nullptr) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string token = unescape_pointer(pointer.substr(0, end));
    pointer.remove_prefix(end);
    const json::value* next = nullptr;
    if (const json::object* object = place.value->if_object()) {
      next = object->if_contains(token);
    } else if (const json::array* array = place.value->if_array()) {
      std::size_t index = 0;
      const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
      const bool is_index = read.ec == std::errc() && read.ptr == token.data() + token.size();
      next = is_index && index < array->size() ? &(*array)[index] : nullptr;
    }
    place.value = next;
    if (next != nullptr) {
      place.base = base_of(*next, place.base);
    }
  }
  return place;
}

SchemaPlace ReferenceIndex::find(std::string_view base, std::string_view reference) const {
  const std::size_t hash = reference.find('#');
  const std::string fragment =
      hash == reference.npos ? std::string() : unescape_percent(reference.substr(hash + 1));
  const std::string address = resolve_address(base, reference);
  if (!fragment.empty() && fragment[0] != '/') {
    const auto anchor = anchors_.find(address + "#" + fragment);
    return anchor != anchors_.end() ? anchor->second : SchemaPlace{};
  }
  const auto resource = resources_.find(address);
  if (resource == resources_.end()) {
    return address == resources_.at("").base ? follow(resources_.at(""), fragment) : SchemaPlace{};
  }
  return follow(resource->second, fragment);
}

}  // namespace vernal::grammar
