// Equality, order, membership and hashing of values, as Python defines them.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `left == right`. Numbers of different types are compared by value, lists and mappings by
/// content, functions and other objects by identity. Structures that nest deeper than the limit,
/// such as cycles, end in Fault(kLimit).
bool equals(const Value& left, const Value& right, Budget& budget);

/// `left < right`. Fails for types without a common order; the message names the operator `symbol`.
bool less_than(const Value& left, const Value& right, Budget& budget,
               std::string_view symbol = "<");

/// `item in container`.
bool contains(const Value& container, const Value& item, Budget& budget);

/// A hash; equal values have equal hashes. Fails for lists and mappings, which cannot be keys.
std::uint64_t hash_of(const Value& value, Budget& budget);
std::uint64_t hash_of(std::string_view text) noexcept;

}  // namespace vernal::jinja
