// Equality, order, membership and hashing of values, as Python defines them.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `left == right`. Numbers compare across types, lists and mappings by content, the rest by
/// identity. Structures nested deeper than the limit (cycles) end in Fault(kLimit).
bool equals(const Value& left, const Value& right, Budget& budget);

/// `left < right`; fails for types without a common order. `symbol` is the operator to name then.
bool less_than(const Value& left, const Value& right, Budget& budget,
               std::string_view symbol = "<");

/// `item in container`.
bool contains(const Value& container, const Value& item, Budget& budget);

/// Equal values have equal hashes. Fails for lists and mappings, which are no keys.
std::uint64_t hash_of(const Value& value, Budget& budget);
std::uint64_t hash_of(std::string_view text) noexcept;

}  // namespace vernal::jinja
