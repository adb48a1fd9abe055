#include "text/grammar/schema/schema_document.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <deque>

#include "text/exact_json.hpp"
#include "text/grammar/error.hpp"
#include "text/grammar/regex/number_languages.hpp"
#include "text/grammar/schema/schema_reader.hpp"

namespace vernal::grammar {

namespace json = boost::json;

SchemaDocument::SchemaDocument(std::span<const SchemaText> texts, WarningList& warnings) {
  for (const SchemaText& source : texts) {
    const std::string pointer = std::string(source.name) + "#";
    json::error_code error;
    const json::value& tree =
        trees_.emplace_back(parse_exact_json(source.text, kMaxDepth, {}, error));
    if (error) {
      throw GrammarError(pointer, "", "the schema is no JSON: " + error.message());
    }
    if (!tree.is_object() && !tree.is_bool()) {
      throw GrammarError(pointer, "", "a schema is an object or a boolean");
    }
    SchemaReader reader(*this, tree, warnings);
    roots_.push_back(reader.read_all(std::string(source.name)));
  }
}

SchemaReader::SchemaReader(SchemaDocument& document, const json::value& tree, WarningList& warnings)
    : document_(document),
      tree_(tree),
      warnings_(warnings),
      draft_(draft_of(tree)),
      index_(tree, draft_) {}

// References are followed one after another, so that no chain of them nests.
NodeId SchemaReader::read_all(std::string name) {
  name_ = std::move(name);
  const NodeId root = place(tree_, name_ + "#", "");
  while (!waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.is_value) {
      read_container(next);
    } else {
      read(next);
    }
  }
  return root;
}

NodeId SchemaReader::add(std::string pointer) {
  if (document_.nodes_.size() >= SchemaDocument::kMaxNodes) {
    throw GrammarError(std::move(pointer), "",
                       fmt::format("more than {} schemas", SchemaDocument::kMaxNodes));
  }
  document_.nodes_.emplace_back().pointer = std::move(pointer);
  return static_cast<NodeId>(document_.nodes_.size() - 1);
}

NodeId SchemaReader::place(const json::value& value, std::string pointer, const std::string& base) {
  const auto known = placed_.find(&value);
  if (known != placed_.end()) {
    return known->second;
  }
  const NodeId id = add(std::move(pointer));
  placed_.emplace(&value, id);
  waiting_.push_back({&value, id, index_.base_of(value, base)});
  return id;
}

void SchemaReader::warn(const SchemaNode& node, std::string_view keyword, std::string reason) {
  warnings_.add({node.pointer, std::string(keyword), std::move(reason)});
}

void SchemaReader::read(const Waiting& waiting) {
  SchemaNode& node = document_.nodes_[waiting.id];
  base_ = &waiting.base;
  if (const bool* flag = waiting.value->if_bool()) {
    node.is_never = !*flag;
    return;
  }
  const json::object* object = waiting.value->if_object();
  if (object == nullptr) {
    warn(node, "", "a schema is an object or a boolean; this one is ignored");
    return;
  }
  if (const json::value* reference = object->if_contains("$ref"); reference != nullptr) {
    read_reference(node, "$ref", *reference);
    if (draft_ == Draft::kOld || draft_ == Draft::kSeven) {
      return;
    }
  }
  for (const auto& member : *object) {
    read_keyword(node, member.key(), member.value());
  }
  finish(node, *object);
}

void SchemaReader::read_reference(SchemaNode& node, std::string_view keyword,
                                  const json::value& value) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    warn(node, keyword, "a reference is a string; this one is ignored");
    return;
  }
  const SchemaPlace found = index_.find(*base_, *text);
  if (found.value == nullptr) {
    warn(node, keyword, fmt::format("\"{}\" is not in this document", std::string_view(*text)));
    return;
  }
  const NodeId target = place(*found.value, name_ + std::string(*text), found.base);
  if (node.ref == kNoNode) {
    node.ref = target;
  } else {
    node.all_of.push_back(target);
  }
}

NodeId SchemaReader::child(const SchemaNode& node, std::string_view path,
                           const json::value& value) {
  return place(value, fmt::format("{}/{}", node.pointer, path), *base_);
}

std::vector<NodeId> SchemaReader::children(SchemaNode& node, std::string_view keyword,
                                           const json::value& value) {
  std::vector<NodeId> ids;
  const json::array* array = value.if_array();
  if (array == nullptr) {
    warn(node, keyword, "an array of schemas is expected; it is ignored");
    return ids;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    ids.push_back(child(node, fmt::format("{}/{}", keyword, i), (*array)[i]));
  }
  return ids;
}

NamedNodes SchemaReader::named_children(SchemaNode& node, std::string_view keyword,
                                        const json::value& value) {
  NamedNodes ids;
  const json::object* object = value.if_object();
  if (object == nullptr) {
    warn(node, keyword, "an object of schemas is expected; it is ignored");
    return ids;
  }
  for (const auto& member : *object) {
    const std::string_view key = member.key();
    ids.emplace_back(key, child(node, fmt::format("{}/{}", keyword, key), member.value()));
  }
  return ids;
}

std::optional<Decimal> SchemaReader::number(SchemaNode& node, std::string_view keyword,
                                            const json::value& value) {
  std::optional<Decimal> number = number_of(value);
  if (!number) {
    warn(node, keyword, "a number within 10^±100000 is expected; it is ignored");
  }
  return number;
}

std::uint64_t SchemaReader::count(SchemaNode& node, std::string_view keyword,
                                  const json::value& value, std::uint64_t otherwise) {
  const std::optional<Decimal> number = number_of(value);
  const auto count = number ? count_of(*number, kMaxCount) : std::nullopt;
  if (!count) {
    warn(node, keyword, "an integer that is not negative is expected; it is ignored");
  }
  return count.value_or(otherwise);
}

std::vector<std::string> SchemaReader::texts(SchemaNode& node, std::string_view keyword,
                                             const json::value& value) {
  std::vector<std::string> texts;
  const json::array* array = value.if_array();
  bool is_whole = array != nullptr;
  for (std::size_t i = 0; is_whole && i < array->size(); ++i) {
    const json::string* text = (*array)[i].if_string();
    is_whole = text != nullptr;
    if (is_whole) {
      texts.emplace_back(*text);
    }
  }
  if (!is_whole) {
    warn(node, keyword, "an array of strings is expected; it is ignored");
    texts.clear();
  }
  return texts;
}

/// A schema that one object or array fits alone.
NodeId SchemaReader::container_node(const json::value& value, const std::string& pointer) {
  const NodeId id = add(pointer);
  waiting_.push_back({&value, id, {}, true});
  return id;
}

void SchemaReader::read_value(SchemaNode& node, const json::value& value) {
  if (value.is_object() || value.is_array()) {
    node.containers.push_back(container_node(value, node.pointer));
  } else {
    node.scalars.push_back(&value);
  }
}

void SchemaReader::read_container(const Waiting& waiting) {
  const auto fixed = [&](const json::value& value) {
    const NodeId id = add(document_.nodes_[waiting.id].pointer);
    SchemaNode& node = document_.nodes_[id];
    node.has_enum = true;
    read_value(node, value);
    return id;
  };
  // Nodes may move no more: a deque keeps its elements in place.
  SchemaNode& node = document_.nodes_[waiting.id];
  if (const json::array* array = waiting.value->if_array()) {
    node.types = kArray;
    for (const json::value& item : *array) {
      node.prefix_items.push_back(fixed(item));
    }
    node.min_items = node.max_items = array->size();
    return;
  }
  node.types = kObject;
  for (const auto& member : waiting.value->as_object()) {
    node.properties.emplace_back(member.key(), fixed(member.value()));
    node.required.emplace_back(member.key());
  }
  node.additional_properties = add(node.pointer);
  document_.nodes_[node.additional_properties].is_never = true;
}

std::optional<Decimal> number_of(const json::value& value) {
  if (is_written_number(value)) {
    return parse_decimal(written_text(value));
  }
  if (value.is_int64()) {
    return parse_decimal(std::to_string(value.get_int64()));
  }
  return std::nullopt;
}

}  // namespace vernal::grammar
