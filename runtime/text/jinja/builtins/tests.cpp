// Tests: the names that may follow `is`.
#include <algorithm>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// A test without arguments.
template <bool (*kHolds)(const Value&)>
Value check(Interpreter& /*interpreter*/, const Call& call) {
  return Value::boolean(kHolds(call.self()));
}

bool is_defined(const Value& value) { return !value.is_undefined(); }
bool is_undefined(const Value& value) { return value.is_undefined(); }
bool is_none(const Value& value) { return value.is_none(); }
bool is_boolean(const Value& value) { return value.is_boolean(); }
bool is_true(const Value& value) { return value.is_boolean() && value.truthy(); }
bool is_false(const Value& value) { return value.is_boolean() && !value.truthy(); }
bool is_integer(const Value& value) { return value.is_integer(); }
bool is_float(const Value& value) { return value.is_float(); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_string(const Value& value) { return value.is_string(); }
bool is_mapping(const Value& value) { return value.is_dict(); }
/// Undefined is iterable: it has no elements and the length 0.
bool is_iterable(const Value& value) { return value.length().has_value(); }
bool is_sequence(const Value& value) {
  return is_iterable(value) && !(value.is_list() && value.list().form() > ListForm::kTuple);
}
bool is_escaped(const Value& value) { return value.is_string() && value.string().is_safe(); }
/// Undefined is callable: a call fails with the reason why it is undefined.
bool is_callable(const Value& value) {
  return value.is_undefined() || (value.is_native() && value.native().is_callable());
}

/// Whether the letters of the text are of one case.
template <bool (*kHolds)(std::string_view) noexcept>
Value text_has_case(Interpreter& interpreter, const Call& call) {
  const Value text = to_string_value(interpreter.heap(), call.self());
  interpreter.budget().read_bytes(text.text().size() * 8);
  return Value::boolean(kHolds(text.text()));
}

Value modulo(Interpreter& interpreter, const Value& value, std::int64_t divisor) {
  return apply(interpreter.heap(), BinaryOperator::kModulo, value, Value::integer(divisor));
}

Value is_odd(Interpreter& interpreter, const Call& call) {
  const Value rest = modulo(interpreter, call.self(), 2);
  return Value::boolean(rest.is_number() && rest.as_double() == 1);
}

Value is_even(Interpreter& interpreter, const Call& call) {
  const Value rest = modulo(interpreter, call.self(), 2);
  return Value::boolean(rest.is_number() && rest.as_double() == 0);
}

Value is_divisible_by(Interpreter& interpreter, const Call& call) {
  const Value rest = modulo(interpreter, call.self(), call.integer(0));
  return Value::boolean(rest.is_number() && rest.as_double() == 0);
}

template <Comparison kComparison>
Value compares(Interpreter& interpreter, const Call& call) {
  return Value::boolean(compare(kComparison, call.self(), call.at(0), interpreter.budget()));
}

Value is_same_as(Interpreter& interpreter, const Call& call) {
  const Value& left = call.self();
  const Value right = call.at(0);
  if (left.kind() != right.kind()) {
    return Value::boolean(false);
  }
  const bool is_object = left.object() != nullptr && !left.is_string();
  return Value::boolean(is_object ? left.object() == right.object()
                                  : compare(Comparison::kEqual, left, right, interpreter.budget()));
}

Value is_filter(Interpreter& /*interpreter*/, const Call& call) {
  return Value::boolean(find_filter(call.self_text()) != nullptr);
}

Value is_test(Interpreter& /*interpreter*/, const Call& call) {
  return Value::boolean(find_test(call.self_text()) != nullptr);
}

constexpr Builtin kTests[] = {
    {"defined", "", check<is_defined>},
    {"undefined", "", check<is_undefined>},
    {"none", "", check<is_none>},
    {"boolean", "", check<is_boolean>},
    {"true", "", check<is_true>},
    {"false", "", check<is_false>},
    {"integer", "", check<is_integer>},
    {"float", "", check<is_float>},
    {"number", "", check<is_number>},
    {"string", "", check<is_string>},
    {"mapping", "", check<is_mapping>},
    {"iterable", "", check<is_iterable>},
    {"sequence", "", check<is_sequence>},
    {"escaped", "", check<is_escaped>},
    {"callable", "", check<is_callable>},
    {"lower", "", text_has_case<is_lower_text>},
    {"upper", "", text_has_case<is_upper_text>},
    {"odd", "", is_odd},
    {"even", "", is_even},
    {"divisibleby", "num", is_divisible_by},
    {"sameas", "other", is_same_as},
    {"filter", "", is_filter},
    {"test", "", is_test},
    {"in", "seq", compares<Comparison::kIn>},
    {"eq", "other", compares<Comparison::kEqual>},
    {"equalto", "other", compares<Comparison::kEqual>},
    {"==", "other", compares<Comparison::kEqual>},
    {"ne", "other", compares<Comparison::kNotEqual>},
    {"!=", "other", compares<Comparison::kNotEqual>},
    {"lt", "other", compares<Comparison::kLess>},
    {"lessthan", "other", compares<Comparison::kLess>},
    {"<", "other", compares<Comparison::kLess>},
    {"le", "other", compares<Comparison::kLessOrEqual>},
    {"<=", "other", compares<Comparison::kLessOrEqual>},
    {"gt", "other", compares<Comparison::kGreater>},
    {"greaterthan", "other", compares<Comparison::kGreater>},
    {">", "other", compares<Comparison::kGreater>},
    {"ge", "other", compares<Comparison::kGreaterOrEqual>},
    {">=", "other", compares<Comparison::kGreaterOrEqual>},
};

}  // namespace

std::span<const Builtin> tests() { return kTests; }

}  // namespace vernal::jinja
