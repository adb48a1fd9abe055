// What each kind of expression evaluates to.
#include <algorithm>

#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/printing.hpp"

namespace vernal::jinja {

Value ScalarLiteral::evaluate(Interpreter& /*interpreter*/) const { return value; }

Value StringLiteral::evaluate(Interpreter& interpreter) const {
  return interpreter.string_literal(*this);
}

Value NameExpression::evaluate(Interpreter& interpreter) const {
  return interpreter.variable(symbol);
}

Value ListExpression::evaluate(Interpreter& interpreter) const {
  Ref<ListObject> list =
      interpreter.heap().make<ListObject>(is_tuple ? ListForm::kTuple : ListForm::kList);
  for (const ExpressionPtr& item : items) {
    list->append(interpreter.evaluate(*item));
  }
  return Value(std::move(list));
}

Value DictExpression::evaluate(Interpreter& interpreter) const {
  Ref<DictObject> dict = interpreter.heap().make<DictObject>();
  for (const auto& [key, value] : items) {
    const Value evaluated_key = interpreter.evaluate(*key);
    dict->set(evaluated_key, interpreter.evaluate(*value));
  }
  return Value(std::move(dict));
}

Value AttributeExpression::evaluate(Interpreter& interpreter) const {
  return interpreter.attribute(interpreter.evaluate(*object), name);
}

Value SubscriptExpression::evaluate(Interpreter& interpreter) const {
  const Value evaluated_object = interpreter.evaluate(*object);
  return interpreter.subscript(evaluated_object, interpreter.evaluate(*key));
}

Value SliceExpression::evaluate(Interpreter& interpreter) const {
  const Value sliced = interpreter.evaluate(*object);
  const auto bound = [&](const ExpressionPtr& expression) {
    return expression == nullptr ? Value::none() : interpreter.evaluate(*expression);
  };
  const Value first = bound(start);
  const Value last = bound(stop);
  return slice(interpreter.heap(), sliced, first, last, bound(step));
}

Value CallExpression::evaluate(Interpreter& interpreter) const {
  const Value called = interpreter.evaluate(*callee);
  return interpreter.call(called, interpreter.evaluate(arguments));
}

Value FilterExpression::evaluate(Interpreter& interpreter) const {
  return interpreter.filter(use, interpreter.evaluate(*operand));
}

Value TestExpression::evaluate(Interpreter& interpreter) const {
  if (test == nullptr) {
    fail_unknown_test(name);
  }
  const Value tested = interpreter.evaluate(*operand);
  const Value result = invoke(*test, interpreter, tested, interpreter.evaluate(arguments));
  return Value::boolean(result.truthy() != is_negated);
}

Value UnaryExpression::evaluate(Interpreter& interpreter) const {
  const Value value = interpreter.evaluate(*operand);
  switch (operation) {
    case UnaryOperator::kNegate:
      return negate(value);
    case UnaryOperator::kPlus:
      return plus(value);
    case UnaryOperator::kNot:
      return Value::boolean(!value.truthy());
  }
  return value;
}

Value ArithmeticExpression::evaluate(Interpreter& interpreter) const {
  Value result = interpreter.evaluate(*first);
  for (const auto& [operation, operand] : rest) {
    result = apply(interpreter.heap(), operation, result, interpreter.evaluate(*operand));
  }
  return result;
}

Value LogicalExpression::evaluate(Interpreter& interpreter) const {
  Value result;
  for (const ExpressionPtr& operand : operands) {
    result = interpreter.evaluate(*operand);
    if (result.truthy() == is_or) {
      break;
    }
  }
  return result;
}

bool compare(Comparison comparison, const Value& left, const Value& right, Budget& budget) {
  switch (comparison) {
    case Comparison::kEqual:
      return equals(left, right, budget);
    case Comparison::kNotEqual:
      return !equals(left, right, budget);
    case Comparison::kLess:
      return less_than(left, right, budget, "<");
    case Comparison::kGreater:
      return less_than(right, left, budget, ">");
    case Comparison::kLessOrEqual:
      return less_than(left, right, budget, "<=") || equals(left, right, budget);
    case Comparison::kGreaterOrEqual:
      return less_than(right, left, budget, ">=") || equals(left, right, budget);
    case Comparison::kIn:
      return contains(right, left, budget);
    case Comparison::kNotIn:
      return !contains(right, left, budget);
  }
  return false;
}

Value ComparisonExpression::evaluate(Interpreter& interpreter) const {
  Value left = interpreter.evaluate(*first);
  for (const auto& [comparison, operand] : rest) {
    Value right = interpreter.evaluate(*operand);
    if (!compare(comparison, left, right, interpreter.budget())) {
      return Value::boolean(false);
    }
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value ConcatenationExpression::evaluate(Interpreter& interpreter) const {
  TextBuilder out(interpreter.heap());
  for (const ExpressionPtr& operand : operands) {
    print(out, interpreter.evaluate(*operand));
  }
  return out.finish();
}

Value ConditionalExpression::evaluate(Interpreter& interpreter) const {
  if (interpreter.evaluate(*condition).truthy()) {
    return interpreter.evaluate(*chosen);
  }
  if (otherwise != nullptr) {
    return interpreter.evaluate(*otherwise);
  }
  return interpreter.new_undefined(
      "the inline if-expression evaluated to false and no else section was defined");
}

}  // namespace vernal::jinja
