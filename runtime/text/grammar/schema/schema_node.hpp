// A JSON Schema as it is written, keyword by keyword.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/regex/decimal.hpp"

namespace vernal::grammar {

/// The number of a schema in a SchemaDocument.
using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFFU;

/// Counts above this are this: nobody generates as many.
inline constexpr std::uint64_t kMaxCount = 1'000'000'000;
inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// The types of a JSON value, as bits. A number is an integer or another number.
enum TypeBit : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kOtherNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAllTypes = 127,
};

struct NumberBound {
  const char* keyword = "";
  Decimal bound;
  std::uint8_t wanted = 0;  ///< kLess | kEqual | kGreater
};

/// `keys` and `schema` hold if the object has `key`.
struct Dependency {
  std::string key;
  std::vector<std::string> keys;
  NodeId schema = kNoNode;
};

using NamedNodes = std::vector<std::pair<std::string, NodeId>>;

/// One schema. Absent subschemas are kNoNode, absent limits kNoLimit.
struct SchemaNode {
  std::string pointer;  ///< "#/properties/a"
  bool is_never = false;
  std::uint8_t types = kAllTypes;

  bool has_enum = false;
  std::vector<const boost::json::value*> scalars;  ///< of enum and const
  std::vector<NodeId> containers;                  ///< objects and arrays of enum and const

  std::vector<NumberBound> bounds;
  std::optional<Decimal> multiple_of;

  std::uint64_t min_length = 0;
  std::uint64_t max_length = kNoLimit;
  std::optional<std::string> pattern;
  std::optional<std::string> format;

  std::vector<NodeId> prefix_items;
  NodeId items = kNoNode;
  std::uint64_t min_items = 0;
  std::uint64_t max_items = kNoLimit;
  NodeId contains = kNoNode;
  std::uint64_t min_contains = 1;
  std::uint64_t max_contains = kNoLimit;
  bool has_unique_items = false;
  NodeId unevaluated_items = kNoNode;

  NamedNodes properties;
  NamedNodes pattern_properties;
  NodeId additional_properties = kNoNode;
  NodeId property_names = kNoNode;
  std::vector<std::string> required;
  std::uint64_t min_properties = 0;
  std::uint64_t max_properties = kNoLimit;
  std::vector<Dependency> dependencies;
  NodeId unevaluated_properties = kNoNode;

  std::vector<NodeId> all_of;
  std::vector<NodeId> any_of;
  std::vector<NodeId> one_of;
  NodeId not_ = kNoNode;
  NodeId if_ = kNoNode;
  NodeId then_ = kNoNode;
  NodeId else_ = kNoNode;
  NodeId ref = kNoNode;
};

}  // namespace vernal::grammar
