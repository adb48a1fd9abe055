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

/// `left operator right`, as in Python. Fails for an integer result beyond 64 bits, a division by
/// zero and operands of wrong types. `%` with a string formats it.
Value apply(Heap& heap, BinaryOperator operation, const Value& left, const Value& right);

/// `-value`. Fails if it is no number.
Value negate(const Value& value);
/// `+value`. Fails if it is no number.
Value plus(const Value& value);

/// `text * count`. The memory is charged before it is taken.
Value repeat_text(Heap& heap, std::string_view text, std::int64_t count);

/// The element `value[key]`; nothing if there is no such key or position. Attributes are not looked
/// at.
std::optional<Value> item(Heap& heap, const Value& value, const Value& key);

/// `value[start:stop:step]`. Each bound is an integer or none.
Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
            const Value& step);

/// The code points [begin, end) of a text. `end` is at most its length.
std::string_view substring(const StringObject& text, std::uint64_t begin, std::uint64_t end);

/// An argument or operand as an integer. Booleans are 0 and 1. Other types fail with a message that
/// names `what`.
std::int64_t require_integer(const Value& value, std::string_view what);
/// The same for a string.
std::string_view require_string(const Value& value, std::string_view what);

}  // namespace vernal::jinja
