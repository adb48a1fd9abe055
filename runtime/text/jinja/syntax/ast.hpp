// The parsed template: its expressions and statements. It is immutable and shared by all
// renderings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// A name of the template, by its position in Program::names.
using Symbol = std::uint32_t;

/// How a statement ended.
enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

struct Expression {
  virtual ~Expression() = default;
  virtual Value evaluate(Interpreter& interpreter) const = 0;

  std::uint32_t line = 0;
  std::uint32_t depth = 1;  // levels of expressions, from this one down
};
using ExpressionPtr = std::unique_ptr<const Expression>;

struct Statement {
  virtual ~Statement() = default;
  virtual Flow execute(Interpreter& interpreter) const = 0;

  std::uint32_t line = 0;
};
using Block = std::vector<std::unique_ptr<const Statement>>;

// ---- Expressions ------------------------------------------------------------------------------

/// None, booleans and numbers: values that need no heap.
struct ScalarLiteral final : Expression {
  Value value;
  Value evaluate(Interpreter& interpreter) const override;
};

struct StringLiteral final : Expression {
  std::string text;
  std::uint32_t index = 0;  // of the template's string literals; a rendering makes the string once
  Value evaluate(Interpreter& interpreter) const override;
};

struct NameExpression final : Expression {
  Symbol symbol = 0;
  Value evaluate(Interpreter& interpreter) const override;
};

struct ListExpression final : Expression {
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  Value evaluate(Interpreter& interpreter) const override;
};

struct DictExpression final : Expression {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `object.name`
struct AttributeExpression final : Expression {
  ExpressionPtr object;
  std::string name;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `object[key]`
struct SubscriptExpression final : Expression {
  ExpressionPtr object;
  ExpressionPtr key;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `object[start:stop:step]`; each bound may be absent.
struct SliceExpression final : Expression {
  ExpressionPtr object;
  ExpressionPtr start;
  ExpressionPtr stop;
  ExpressionPtr step;
  Value evaluate(Interpreter& interpreter) const override;
};

/// The arguments between the parentheses of a call.
struct ArgumentList {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr spread;        // *list
  ExpressionPtr named_spread;  // **mapping
};

struct CallExpression final : Expression {
  ExpressionPtr callee;
  ArgumentList arguments;
  Value evaluate(Interpreter& interpreter) const override;
};

/// A filter by its name, with its arguments. A name that does not exist fails only when the filter
/// is used: published templates name filters of other environments in branches that are not taken.
struct FilterUse {
  std::string name;
  const Builtin* filter = nullptr;
  ArgumentList arguments;
};

struct FilterExpression final : Expression {
  ExpressionPtr operand;
  FilterUse use;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `operand is [not] name(arguments)`
struct TestExpression final : Expression {
  ExpressionPtr operand;
  std::string name;
  const Builtin* test = nullptr;
  ArgumentList arguments;
  bool is_negated = false;
  Value evaluate(Interpreter& interpreter) const override;
};

enum class UnaryOperator : std::uint8_t { kNegate, kPlus, kNot };

struct UnaryExpression final : Expression {
  UnaryOperator operation = UnaryOperator::kNot;
  ExpressionPtr operand;
  Value evaluate(Interpreter& interpreter) const override;
};

/// Operators of one precedence, from left to right. They are one node, so that long sums do not
/// nest.
struct ArithmeticExpression final : Expression {
  ExpressionPtr first;
  std::vector<std::pair<BinaryOperator, ExpressionPtr>> rest;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `a and b and c` or `a or b or c`. The result is the first operand that decides, as in Python.
struct LogicalExpression final : Expression {
  bool is_or = false;
  std::vector<ExpressionPtr> operands;
  Value evaluate(Interpreter& interpreter) const override;
};

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,
  kNotIn,
};

/// `left comparison right`
bool compare(Comparison comparison, const Value& left, const Value& right, Budget& budget);

/// `a < b <= c`: every neighbouring pair must hold.
struct ComparisonExpression final : Expression {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `a ~ b ~ c`
struct ConcatenationExpression final : Expression {
  std::vector<ExpressionPtr> operands;
  Value evaluate(Interpreter& interpreter) const override;
};

/// `chosen if condition else otherwise`
struct ConditionalExpression final : Expression {
  ExpressionPtr condition;
  ExpressionPtr chosen;
  ExpressionPtr otherwise;  // may be absent
  Value evaluate(Interpreter& interpreter) const override;
};

// ---- Statements -------------------------------------------------------------------------------

/// What an assignment assigns to: a name, an attribute of a namespace, or a tuple of such.
struct Target {
  Symbol symbol = 0;
  std::string attribute;      // not empty: `symbol.attribute`
  std::vector<Target> parts;  // not empty: the value is unpacked into these
  bool is_tuple = false;
};

struct TextStatement final : Statement {
  std::string text;
  Flow execute(Interpreter& interpreter) const override;
};

struct OutputStatement final : Statement {
  ExpressionPtr expression;
  Flow execute(Interpreter& interpreter) const override;
};

struct IfStatement final : Statement {
  struct Branch {
    ExpressionPtr condition;
    Block body;
  };
  std::vector<Branch> branches;
  Block otherwise;
  Flow execute(Interpreter& interpreter) const override;
};

struct ForStatement final : Statement {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr condition;  // may be absent
  bool is_recursive = false;
  Block body;
  Block otherwise;
  Flow execute(Interpreter& interpreter) const override;
};

struct BreakStatement final : Statement {
  Flow execute(Interpreter& interpreter) const override;
};

struct ContinueStatement final : Statement {
  Flow execute(Interpreter& interpreter) const override;
};

/// `{% set target = value %}`
struct SetStatement final : Statement {
  Target target;
  ExpressionPtr value;
  Flow execute(Interpreter& interpreter) const override;
};

/// `{% set target | filter %}body{% endset %}`
struct SetBlockStatement final : Statement {
  Target target;
  std::vector<FilterUse> filters;
  Block body;
  Flow execute(Interpreter& interpreter) const override;
};

/// `{% filter name %}body{% endfilter %}`
struct FilterStatement final : Statement {
  std::vector<FilterUse> filters;
  Block body;
  Flow execute(Interpreter& interpreter) const override;
};

/// `{% with a = 1 %}body{% endwith %}` and other bodies that have a scope.
struct ScopeStatement final : Statement {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Block body;
  Flow execute(Interpreter& interpreter) const override;
};

/// Parameters and body of a macro or of a call block.
struct MacroDefinition {
  struct Parameter {
    Symbol symbol;
    std::string name;
    ExpressionPtr default_value;  // may be absent
  };
  std::string name;
  std::vector<Parameter> parameters;
  Block body;
  // The implicit variables that the body mentions.
  std::optional<Symbol> varargs;
  std::optional<Symbol> kwargs;
  std::optional<Symbol> caller;
};

struct MacroStatement final : Statement {
  Symbol symbol = 0;
  MacroDefinition definition;
  Flow execute(Interpreter& interpreter) const override;
};

/// `{% call(parameters) callee(arguments) %}body{% endcall %}`
struct CallStatement final : Statement {
  std::unique_ptr<const CallExpression> call;
  MacroDefinition body;
  Flow execute(Interpreter& interpreter) const override;
};

/// A whole template.
struct Program {
  Block body;
  std::vector<std::string> names;  // by Symbol
  std::uint32_t num_string_literals = 0;
  Symbol loop = 0;  // the name `loop`

  /// The symbol of a name that the template mentions.
  std::optional<Symbol> find(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? std::nullopt
                                : std::optional(static_cast<Symbol>(found - names.begin()));
  }
};

}  // namespace vernal::jinja
