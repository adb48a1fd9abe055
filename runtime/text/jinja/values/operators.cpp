#include "text/jinja/values/operators.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "text/jinja/builtins/format_text.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/text_operations.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

constexpr std::array<std::string_view, 7> kSymbols = {"+", "-", "*", "/", "//", "%", "**"};

std::string_view symbol_of(BinaryOperator operation) {
  return kSymbols[static_cast<std::size_t>(operation)];
}

[[noreturn]] void fail_overflow(BinaryOperator operation) {
  fail("the result of '{}' does not fit into 64 bits", symbol_of(operation));
}

[[noreturn]] void fail_types(BinaryOperator operation, const Value& left, const Value& right) {
  for (const Value* operand : {&left, &right}) {
    if (operand->is_undefined()) {
      fail("{}", operand->why_undefined());
    }
  }
  if (operation == BinaryOperator::kAdd && left.is_string()) {
    fail("can only concatenate str (not \"{}\") to str", right.type_name());
  }
  fail("unsupported operand type(s) for {}: '{}' and '{}'", symbol_of(operation), left.type_name(),
       right.type_name());
}

/// The quotient, rounded towards minus infinity. `right` is not 0, and the quotient fits.
std::int64_t floor_quotient(std::int64_t left, std::int64_t right) {
  const std::int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

Value integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) {
      fail("0.0 cannot be raised to a negative power");
    }
    return Value::number(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  std::int64_t square = base;
  bool square_fits = true;
  for (std::int64_t rest = exponent; rest > 0; rest >>= 1) {
    if ((rest & 1) != 0 && (!square_fits || __builtin_mul_overflow(result, square, &result))) {
      fail_overflow(BinaryOperator::kPower);
    }
    square_fits = square_fits && !__builtin_mul_overflow(square, square, &square);
  }
  return Value::integer(result);
}

Value apply_integers(BinaryOperator operation, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  bool overflows = false;
  switch (operation) {
    case BinaryOperator::kAdd:
      overflows = __builtin_add_overflow(left, right, &result);
      break;
    case BinaryOperator::kSubtract:
      overflows = __builtin_sub_overflow(left, right, &result);
      break;
    case BinaryOperator::kMultiply:
      overflows = __builtin_mul_overflow(left, right, &result);
      break;
    case BinaryOperator::kPower:
      return integer_power(left, right);
    default: {
      if (right == 0) {
        fail("division by zero");
      }
      if (operation == BinaryOperator::kDivide) {
        return Value::number(static_cast<double>(left) / static_cast<double>(right));
      }
      if (right == -1) {  // dividing the smallest integer by -1 would trap
        return operation == BinaryOperator::kModulo ? Value::integer(0)
                                                    : negate(Value::integer(left));
      }
      const std::int64_t quotient = floor_quotient(left, right);
      result = operation == BinaryOperator::kModulo ? left - quotient * right : quotient;
    }
  }
  if (overflows) {
    fail_overflow(operation);
  }
  return Value::integer(result);
}

double float_modulo(double left, double right) {
  const double rest = std::fmod(left, right);
  if (rest != 0 && (rest < 0) != (right < 0)) {
    return rest + right;
  }
  return rest == 0 ? std::copysign(0.0, right) : rest;
}

double float_power(double base, double exponent) {
  if (base == 0 && exponent < 0) {
    fail("0.0 cannot be raised to a negative power");
  }
  if (base < 0 && std::isfinite(exponent) && std::trunc(exponent) != exponent) {
    fail("a negative number cannot be raised to a fractional power");
  }
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) {
    fail("the result of '**' is out of range");
  }
  return result;
}

Value apply_floats(BinaryOperator operation, double left, double right) {
  switch (operation) {
    case BinaryOperator::kAdd:
      return Value::number(left + right);
    case BinaryOperator::kSubtract:
      return Value::number(left - right);
    case BinaryOperator::kMultiply:
      return Value::number(left * right);
    case BinaryOperator::kPower:
      return Value::number(float_power(left, right));
    default:
      break;
  }
  if (right == 0) {
    fail("division by zero");
  }
  if (operation == BinaryOperator::kDivide) {
    return Value::number(left / right);
  }
  const double rest = float_modulo(left, right);
  return Value::number(operation == BinaryOperator::kModulo ? rest
                                                            : std::round((left - rest) / right));
}

Value repeat_list(Heap& heap, const ListObject& list, std::int64_t count) {
  Ref<ListObject> result = heap.make<ListObject>(list.form());
  for (std::int64_t i = 0; list.size() != 0 && i < count; ++i) {
    heap.budget().step();
    for (const Value& item : list.items()) {
      result->append(item);
    }
  }
  return Value(std::move(result));
}

Value join_lists(Heap& heap, const ListObject& left, const ListObject& right) {
  heap.budget().read_elements(left.size() + right.size());
  Ref<ListObject> result = heap.make<ListObject>(left.form());
  for (const ListObject* part : {&left, &right}) {
    for (const Value& item : part->items()) {
      result->append(item);
    }
  }
  return Value(std::move(result));
}

Value join_texts(Heap& heap, const StringObject& left, const StringObject& right) {
  const bool is_safe = left.is_safe() || right.is_safe();
  TextBuilder out(heap);
  for (const StringObject* part : {&left, &right}) {
    if (is_safe && !part->is_safe()) {
      append_escaped(out, part->text());
    } else {
      out.append(part->text());
    }
  }
  return out.finish(is_safe);
}

/// `sequence` repeated `count` times; nothing if it is no sequence or `count` is no integer.
std::optional<Value> repeat(Heap& heap, const Value& sequence, const Value& count) {
  if (!count.is_integral()) {
    return std::nullopt;
  }
  if (sequence.is_string()) {
    return repeat_text(heap, sequence.text(), count.as_integer());
  }
  if (sequence.is_list()) {
    return repeat_list(heap, sequence.list(), count.as_integer());
  }
  return std::nullopt;
}

}  // namespace

std::int64_t require_integer(const Value& value, std::string_view what) {
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  if (!value.is_integral()) {
    fail("{} must be an integer, not {}", what, value.type_name());
  }
  return value.as_integer();
}

std::string_view require_string(const Value& value, std::string_view what) {
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  if (!value.is_string()) {
    fail("{} must be str, not {}", what, value.type_name());
  }
  return value.text();
}

Value apply(Heap& heap, BinaryOperator operation, const Value& left, const Value& right) {
  if (left.is_integral() && right.is_integral()) {
    return apply_integers(operation, left.as_integer(), right.as_integer());
  }
  if (left.is_number() && right.is_number()) {
    return apply_floats(operation, left.as_double(), right.as_double());
  }
  if (operation == BinaryOperator::kAdd) {
    if (left.is_string() && right.is_string()) {
      return join_texts(heap, left.string(), right.string());
    }
    if (left.is_list() && right.is_list() && left.list().is_tuple() == right.list().is_tuple()) {
      return join_lists(heap, left.list(), right.list());
    }
  } else if (operation == BinaryOperator::kMultiply) {
    std::optional<Value> repeated = repeat(heap, left, right);
    if (!repeated.has_value()) {
      repeated = repeat(heap, right, left);
    }
    if (repeated.has_value()) {
      return *std::move(repeated);
    }
  } else if (operation == BinaryOperator::kModulo && left.is_string()) {
    return format_percent(heap, left.text(), right);
  }
  fail_types(operation, left, right);
}

Value negate(const Value& value) {
  if (value.is_integral()) {
    if (value.as_integer() == std::numeric_limits<std::int64_t>::min()) {
      fail_overflow(BinaryOperator::kSubtract);
    }
    return Value::integer(-value.as_integer());
  }
  if (value.is_float()) {
    return Value::number(-value.as_double());
  }
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  fail("bad operand type for unary -: '{}'", value.type_name());
}

Value plus(const Value& value) {
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  if (!value.is_number()) {
    fail("bad operand type for unary +: '{}'", value.type_name());
  }
  return value.is_float() ? value : Value::integer(value.as_integer());
}

Value repeat_text(Heap& heap, std::string_view text, std::int64_t count) {
  TextBuilder out(heap);
  out.append_repeated(text, count);
  return out.finish();
}

}  // namespace vernal::jinja
