// Arithmetic, slices, subscripts and attributes of values.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

enum class BinaryOperator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
};

/// `left operator right` as Python computes it. An integer result beyond 64 bits, a division by
/// zero and operands of the wrong types fail. `%` on a string formats it.
Value apply(Heap& heap, BinaryOperator operation, const Value& left, const Value& right);

/// `-value`; fails for what is no number.
Value negate(const Value& value);
/// `+value`; fails for what is no number.
Value plus(const Value& value);

/// `text * count`, memory checked first.
Value repeat_text(Heap& heap, std::string_view text, std::int64_t count);

/// `value[key]` without the fallback to attributes: nothing if there is no such key or position.
std::optional<Value> item(Heap& heap, const Value& value, const Value& key);

/// `value[start:stop:step]`; each bound is an integer or none.
Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
            const Value& step);

/// The characters from code point `begin` up to `end` <= length.
std::string_view substring(const StringObject& text, std::uint64_t begin, std::uint64_t end);

/// The integer of an argument or operand; booleans count, other types fail naming `what`.
std::int64_t require_integer(const Value& value, std::string_view what);
/// The same for a string.
std::string_view require_string(const Value& value, std::string_view what);

}  // namespace vernal::jinja
