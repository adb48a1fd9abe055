// What each kind of statement does.
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/macro.hpp"
#include "text/jinja/syntax/ast.hpp"

namespace vernal::jinja {
namespace {

Value apply_filters(Interpreter& interpreter, const std::vector<FilterUse>& filters, Value value) {
  for (const FilterUse& use : filters) {
    value = interpreter.filter(use, value);
  }
  return value;
}

}  // namespace

Flow TextStatement::execute(Interpreter& interpreter) const {
  interpreter.write(text);
  return Flow::kNext;
}

Flow OutputStatement::execute(Interpreter& interpreter) const {
  interpreter.write(interpreter.evaluate(*expression));
  return Flow::kNext;
}

Flow IfStatement::execute(Interpreter& interpreter) const {
  for (const Branch& branch : branches) {
    if (interpreter.evaluate(*branch.condition).truthy()) {
      return interpreter.execute(branch.body);
    }
  }
  return interpreter.execute(otherwise);
}

Flow ForStatement::execute(Interpreter& interpreter) const {
  return interpreter.run_loop(*this, interpreter.evaluate(*iterable), 0);
}

Flow BreakStatement::execute(Interpreter& /*interpreter*/) const { return Flow::kBreak; }

Flow ContinueStatement::execute(Interpreter& /*interpreter*/) const { return Flow::kContinue; }

Flow SetStatement::execute(Interpreter& interpreter) const {
  interpreter.assign(target, interpreter.evaluate(*value));
  return Flow::kNext;
}

Flow SetBlockStatement::execute(Interpreter& interpreter) const {
  Flow flow = Flow::kNext;
  Value written = interpreter.capture([&] {
    flow = interpreter.in_scope(interpreter.scope(), [&] { return interpreter.execute(body); });
  });
  if (flow == Flow::kNext) {
    interpreter.assign(target, apply_filters(interpreter, filters, std::move(written)));
  }
  return flow;
}

Flow FilterStatement::execute(Interpreter& interpreter) const {
  Flow flow = Flow::kNext;
  Value written = interpreter.capture([&] {
    flow = interpreter.in_scope(interpreter.scope(), [&] { return interpreter.execute(body); });
  });
  if (flow == Flow::kNext) {
    interpreter.write(apply_filters(interpreter, filters, std::move(written)));
  }
  return flow;
}

Flow ScopeStatement::execute(Interpreter& interpreter) const {
  // Values are computed outside the new scope: `{% with a = 1, b = a %}` reads the outer a.
  std::vector<Value> values;
  values.reserve(assignments.size());
  for (const auto& [target, expression] : assignments) {
    values.push_back(interpreter.evaluate(*expression));
  }
  return interpreter.in_scope(interpreter.scope(), [&] {
    for (std::size_t i = 0; i < values.size(); ++i) {
      interpreter.assign(assignments[i].first, values[i]);
    }
    return interpreter.execute(body);
  });
}

Flow MacroStatement::execute(Interpreter& interpreter) const {
  interpreter.set_variable(
      symbol, Value(interpreter.heap().make<MacroObject>(definition, interpreter.scope())));
  return Flow::kNext;
}

Flow CallStatement::execute(Interpreter& interpreter) const {
  const Value called = interpreter.evaluate(*call->callee);
  Arguments arguments = interpreter.evaluate(call->arguments);
  arguments.named.emplace_back(
      "caller", Value(interpreter.heap().make<MacroObject>(body, interpreter.scope())));
  interpreter.write(interpreter.call(called, arguments));
  return Flow::kNext;
}

}  // namespace vernal::jinja
