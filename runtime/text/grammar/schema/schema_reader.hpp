// The reader behind SchemaDocument.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/grammar/schema/schema_document.hpp"

namespace vernal::grammar {

/// The exact value of a JSON number of parse_exact_json; empty for anything else.
std::optional<Decimal> number_of(const boost::json::value& value);

class SchemaReader {
 public:
  SchemaReader(SchemaDocument& document, const boost::json::value& tree, WarningList& warnings);
  /// `name` stands before all pointers.
  NodeId read_all(std::string name);

 private:
  struct Waiting {
    const boost::json::value* value = nullptr;
    NodeId id = kNoNode;
    std::string base;
    bool is_value = false;  // of enum or const, and not a schema
  };

  NodeId add(std::string pointer);
  NodeId place(const boost::json::value& value, std::string pointer, const std::string& base);
  void warn(const SchemaNode& node, std::string_view keyword, std::string reason);
  void read(const Waiting& waiting);
  void read_reference(SchemaNode& node, std::string_view keyword, const boost::json::value& value);
  void read_keyword(SchemaNode& node, std::string_view keyword, const boost::json::value& value);
  bool read_scalar_keyword(SchemaNode& node, std::string_view keyword,
                           const boost::json::value& value);
  bool read_array_keyword(SchemaNode& node, std::string_view keyword,
                          const boost::json::value& value);
  bool read_object_keyword(SchemaNode& node, std::string_view keyword,
                           const boost::json::value& value);
  bool read_applicator(SchemaNode& node, std::string_view keyword, const boost::json::value& value);
  void read_type(SchemaNode& node, const boost::json::value& value);
  void read_bound(SchemaNode& node, const char* keyword, const boost::json::value& value);
  void read_dependencies(SchemaNode& node, std::string_view keyword,
                         const boost::json::value& value);
  void finish(SchemaNode& node, const boost::json::object& object);

  NodeId child(const SchemaNode& node, std::string_view path, const boost::json::value& value);
  std::vector<NodeId> children(SchemaNode& node, std::string_view keyword,
                               const boost::json::value& value);
  NamedNodes named_children(SchemaNode& node, std::string_view keyword,
                            const boost::json::value& value);
  std::optional<Decimal> number(SchemaNode& node, std::string_view keyword,
                                const boost::json::value& value);
  std::uint64_t count(SchemaNode& node, std::string_view keyword, const boost::json::value& value,
                      std::uint64_t otherwise);
  std::vector<std::string> texts(SchemaNode& node, std::string_view keyword,
                                 const boost::json::value& value);
  void read_value(SchemaNode& node, const boost::json::value& value);
  void read_container(const Waiting& waiting);
  NodeId container_node(const boost::json::value& value, const std::string& pointer);

  SchemaDocument& document_;
  const boost::json::value& tree_;
  std::string name_;
  WarningList& warnings_;
  Draft draft_;
  ReferenceIndex index_;
  const std::string* base_ = nullptr;
  std::unordered_map<const boost::json::value*, NodeId> placed_;
  std::deque<Waiting> waiting_;
};

}  // namespace vernal::grammar
