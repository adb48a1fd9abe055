#include "text/jinja/interpreter.hpp"

#include <algorithm>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/loop.hpp"
#include "text/jinja/values/printing.hpp"

namespace vernal::jinja {
namespace {

/// Nodes that may be on the machine's stack for each level of calls: more than a macro's body
/// nests.
constexpr std::uint32_t kNodesPerCall = 8;
constexpr std::uint64_t kVariablesPerStep = 16;

/// The type of a value, for messages.
std::string described_type(const Value& value) {
  return value.is_none() ? "None" : fmt::format("{} object", value.type_name());
}

}  // namespace

const Value* Scope::find(Symbol symbol) const {
  std::uint64_t num_seen = 0;
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
    const auto& variables = scope->variables_;
    const auto found = std::find_if(variables.begin(), variables.end(),
                                    [&](const auto& entry) { return entry.first == symbol; });
    num_seen += static_cast<std::uint64_t>(found - variables.begin()) + 1;
    if (found != variables.end()) {
      heap().budget().step(num_seen / kVariablesPerStep);
      return &found->second;
    }
  }
  heap().budget().step(num_seen / kVariablesPerStep);
  return nullptr;
}

void Scope::set(Symbol symbol, Value value) {
  const auto found = std::find_if(variables_.begin(), variables_.end(),
                                  [&](const auto& entry) { return entry.first == symbol; });
  heap().budget().step(static_cast<std::uint64_t>(found - variables_.begin()) / kVariablesPerStep);
  if (found != variables_.end()) {
    found->second = std::move(value);
    return;
  }
  if (variables_.size() == variables_.capacity()) {
    const std::uint64_t added = std::max<std::uint64_t>(4, variables_.size());
    grow(added * sizeof(variables_[0]));
    variables_.reserve(variables_.size() + added);
  }
  variables_.emplace_back(symbol, std::move(value));
}

void Scope::drop_references() {
  variables_.clear();
  parent_ = {};
}

Interpreter::Interpreter(const Program& program, const RenderLimits& limits, const Clock& clock)
    : program_(program),
      clock_(clock),
      budget_(limits),
      heap_(budget_),
      scope_(heap_.make<Scope>(Ref<Scope>())),
      string_literals_(program.num_string_literals) {}

void Interpreter::bind_functions() {
  for (const Builtin& function : global_functions()) {
    if (const std::optional<Symbol> symbol = program_.find(function.name)) {
      scope_->set(*symbol, Value(heap_.make<FunctionObject>(function, Value())));
    }
  }
}

void Interpreter::bind(std::string_view name, const boost::json::value& value) {
  if (const std::optional<Symbol> symbol = program_.find(name)) {
    scope_->set(*symbol, from_json(heap_, value));
  }
}

std::string Interpreter::run() {
  budget_.exempt_inputs();
  in_scope(scope_, [&] { return execute(program_.body); });
  return std::move(output_);
}

void Interpreter::enter_node() {
  budget_.step();
  if (++node_depth_ > kNodesPerCall * limits().max_depth) {
    fail_limit("the rendering is nested more than {} levels deep",
               kNodesPerCall * limits().max_depth);
  }
}

void Interpreter::enter_call() {
  if (++call_depth_ > limits().max_depth) {
    fail_limit("calls are nested more than {} levels deep", limits().max_depth);
  }
}

// Line and depth are restored only on success: after a fault, line_ still tells where it happened.
Value Interpreter::evaluate(const Expression& expression) {
  enter_node();
  const std::uint32_t outer_line = std::exchange(line_, expression.line);
  Value value = expression.evaluate(*this);
  line_ = outer_line;
  --node_depth_;
  return value;
}

Flow Interpreter::execute(const Block& block) {
  enter_node();
  const std::uint32_t outer_line = line_;
  Flow flow = Flow::kNext;
  for (const auto& statement : block) {
    budget_.step();
    line_ = statement->line;
    flow = statement->execute(*this);
    if (flow != Flow::kNext) {
      break;
    }
  }
  line_ = outer_line;
  --node_depth_;
  return flow;
}

Value Interpreter::variable(Symbol symbol) {
  if (const Value* found = scope_->find(symbol)) {
    return *found;
  }
  return new_undefined(fmt::format("'{}' is undefined", program_.names[symbol]));
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (target.is_tuple) {
    unpack(target, value);
    return;
  }
  if (target.attribute.empty()) {
    set_variable(target.symbol, value);
    return;
  }
  const Value owner = variable(target.symbol);
  auto* const attributes =
      owner.is_native() ? dynamic_cast<NamespaceObject*>(&owner.native()) : nullptr;
  if (attributes == nullptr) {
    fail("cannot assign attribute on non-namespace object");
  }
  attributes->attributes()->set(text(target.attribute), value);
}

void Interpreter::unpack(const Target& target, const Value& value) {
  if (!value.length().has_value()) {
    fail("cannot unpack non-iterable {} object", value.type_name());
  }
  const std::uint64_t length = *value.length();
  if (length != target.parts.size()) {
    fail("{} values to unpack (expected {}, got {})",
         length < target.parts.size() ? "not enough" : "too many", target.parts.size(), length);
  }
  Iteration values(value);
  for (const Target& part : target.parts) {
    assign(part, *values.next());
  }
}

Arguments Interpreter::evaluate(const ArgumentList& list) {
  Arguments arguments;
  arguments.positional.reserve(list.positional.size());
  for (const ExpressionPtr& expression : list.positional) {
    arguments.positional.push_back(evaluate(*expression));
  }
  if (list.spread != nullptr) {
    Iteration values(evaluate(*list.spread));
    budget_.step(values.size());
    while (const std::optional<Value> value = values.next()) {
      arguments.positional.push_back(*value);
    }
  }
  for (const auto& [name, expression] : list.named) {
    arguments.named.emplace_back(name, evaluate(*expression));
  }
  if (list.named_spread != nullptr) {
    const Value values = evaluate(*list.named_spread);
    if (!values.is_dict()) {
      fail("argument after ** must be a mapping, not {}", values.type_name());
    }
    for (const DictObject::Entry& entry : values.dict().entries()) {
      budget_.step();
      arguments.named.emplace_back(require_string(entry.key, "a keyword"), entry.value);
    }
  }
  return arguments;
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  if (callee.is_undefined()) {
    fail("{}", callee.why_undefined());
  }
  if (!callee.is_native()) {
    fail("'{}' object is not callable", callee.type_name());
  }
  return callee.native().call(*this, arguments);
}

Value Interpreter::filter(const FilterUse& use, const Value& operand) {
  if (use.filter == nullptr) {
    fail_unknown_filter(use.name);
  }
  return invoke(*use.filter, *this, operand, evaluate(use.arguments));
}

Value Interpreter::attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) {
    fail("{}", object.why_undefined());
  }
  if (const Builtin* method = find_method(object, name)) {
    return Value(heap_.make<FunctionObject>(*method, object));
  }
  if (object.is_native()) {
    if (std::optional<Value> found = object.native().attribute(*this, name)) {
      return *std::move(found);
    }
  } else if (object.is_dict()) {
    if (const Value* found = object.dict().find(name)) {
      return *found;
    }
  }
  return new_undefined(fmt::format("'{}' has no attribute '{}'", described_type(object), name));
}

Value Interpreter::subscript(const Value& object, const Value& key) {
  if (object.is_undefined()) {
    fail("{}", object.why_undefined());
  }
  if (std::optional<Value> found = item(heap_, object, key)) {
    return *std::move(found);
  }
  if (key.is_string()) {
    return attribute(object, key.text());
  }
  const std::string shown =
      key.is_integral() ? fmt::to_string(key.as_integer()) : described_type(key);
  return new_undefined(fmt::format("{} has no element {}", described_type(object), shown));
}

Value Interpreter::string_literal(const StringLiteral& literal) {
  Value& made = string_literals_[literal.index];
  if (made.is_undefined()) {
    made = text(literal.text);
  }
  return made;
}

void Interpreter::write(std::string_view text) {
  if (!captures_.empty()) {
    captures_.back()->append(text);
    return;
  }
  budget_.read_bytes(text.size());
  if (text.size() > limits().max_output_bytes - output_.size()) {
    fail_limit("the output is longer than {} bytes", limits().max_output_bytes);
  }
  output_.append(text);
}

void Interpreter::write(const Value& value) { write(to_string_value(heap_, value).text()); }

Flow Interpreter::run_loop(const ForStatement& statement, const Value& iterable,
                           std::uint32_t depth) {
  const Ref<LoopObject> loop = heap_.make<LoopObject>(statement, iterable, scope_, depth);
  const Ref<Scope> outer = scope_;
  bool has_run = false;
  while (const std::optional<Value> element = loop->advance(*this)) {
    budget_.step();
    has_run = true;
    const Flow flow = in_scope(outer, [&] {
      set_variable(program_.loop, Value(loop));
      assign(statement.target, *element);
      return execute(statement.body);
    });
    if (flow == Flow::kBreak) {
      break;
    }
  }
  return has_run ? Flow::kNext : in_scope(outer, [&] { return execute(statement.otherwise); });
}

}  // namespace vernal::jinja
