// The values that a schema allows, type by type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/schema_node.hpp"

namespace vernal::grammar {

/// A set of literals, numbered: all of them hold. 0 holds for every value.
using ConjId = std::uint32_t;
inline constexpr ConjId kAnything = 0;
inline constexpr ConjId kNoConj = 0xFFFFFFFFU;

/// A schema or its complement: NodeId · 2, + 1 for the complement.
using Literal = std::uint32_t;
inline constexpr Literal kNever = 0xFFFFFFFFU;  ///< holds for no value

using KeyId = std::uint32_t;

/// `properties`, `patternProperties` and `additionalProperties` of one schema: they look at each
/// other's keys.
struct ObjectGroup {
  std::vector<std::pair<KeyId, ConjId>> properties;
  std::vector<std::pair<Re, ConjId>> patterns;
  ConjId additional = kNoConj;  ///< of all other keys; kNoConj allows them
  bool is_closable = false;     ///< a schema with properties that says nothing about others
  bool evaluates = true;        ///< its keys count as evaluated; those of a complement do not
};

/// Some key of a language has a value of `value`.
struct SomeProperty {
  Re keys = kAnyText;
  ConjId value = kAnything;
};

/// Objects that meet all of this.
struct ObjectCase {
  std::vector<std::shared_ptr<const ObjectGroup>> groups;
  std::vector<KeyId> required;
  std::uint64_t min = 0;
  std::uint64_t max = kNoLimit;
  Re names = kAnyText;
  std::vector<SomeProperty> some;
};

/// Item i fits prefix[i], or `rest` beyond.
struct ItemGroup {
  std::vector<ConjId> prefix;
  ConjId rest = kAnything;
  bool has_rest = false;  ///< the schema says something about them
  bool evaluates = true;  ///< as in ObjectGroup
};

/// From item `from` on, at least `min` and at most `max` items fit `value`.
struct Contained {
  ConjId value = kAnything;
  ConjId other = kAnything;  ///< the complement of `value`
  std::uint64_t from = 0;
  std::uint64_t min = 1;
  std::uint64_t max = kNoLimit;
};

/// Arrays that meet all of this.
struct ArrayCase {
  std::vector<std::shared_ptr<const ItemGroup>> groups;
  std::uint64_t min = 0;
  std::uint64_t max = kNoLimit;
  std::vector<Contained> contained;
  bool is_unique = false;
};

/// Contents of strings. If `texts` is set, these are all.
struct StringLanguage {
  Re re = kNothing;
  std::shared_ptr<const std::vector<std::u32string>> texts;
};

enum Word : std::uint8_t { kNullWord = 1, kFalseWord = 2, kTrueWord = 4, kAllWords = 7 };

/// A union over the types of JSON.
struct Values {
  std::uint8_t words = 0;  ///< of Word
  Re numbers = kNothing;   ///< as written
  StringLanguage strings;
  std::vector<ArrayCase> arrays;
  std::vector<ObjectCase> objects;
};

}  // namespace vernal::grammar
