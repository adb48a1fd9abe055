// Runs a program: scopes, calls, output. Each rendering has its own object.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/builtins/clock.hpp"
#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/values/heap.hpp"
#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// The variables of one block, and the scope around it.
class Scope final : public Object {
 public:
  explicit Scope(Ref<Scope> parent) : parent_(std::move(parent)) {}

  /// The variable of this scope or of the nearest scope around it; null if there is none.
  const Value* find(Symbol symbol) const;
  /// Sets the variable in this scope.
  void set(Symbol symbol, Value value);
  void drop_references() override;

 private:
  Ref<Scope> parent_;
  std::vector<std::pair<Symbol, Value>> variables_;
};

/// The state of one rendering. One thread.
class Interpreter {
 public:
  /// `program` and `clock` must outlive the interpreter.
  Interpreter(const Program& program, const RenderLimits& limits, const Clock& clock);
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;
  ~Interpreter() = default;

  /// Makes the global functions visible. Call it before inputs are bound: an input may hide a
  /// function.
  void bind_functions();
  /// Makes an input visible to the template under a name. Call it before run().
  void bind(std::string_view name, const boost::json::value& value);
  /// Renders. To be called once. Throws Fault; line() then says where.
  std::string run();

  Heap& heap() noexcept { return heap_; }
  Budget& budget() noexcept { return budget_; }
  const RenderLimits& limits() const noexcept { return budget_.limits(); }
  const Clock& clock() const noexcept { return clock_; }
  std::uint32_t line() const noexcept { return line_; }

  Value evaluate(const Expression& expression);
  Flow execute(const Block& block);

  /// The variable; an undefined value with the name in its message if there is none.
  Value variable(Symbol symbol);
  void set_variable(Symbol symbol, Value value) { scope_->set(symbol, std::move(value)); }
  void assign(const Target& target, const Value& value);

  Arguments evaluate(const ArgumentList& arguments);
  Value call(const Value& callee, const Arguments& arguments);
  Value filter(const FilterUse& use, const Value& operand);
  /// `object.name`: a method, an attribute or an element of a mapping.
  Value attribute(const Value& object, std::string_view name);
  /// `object[key]`: an element; if there is none, a method or attribute.
  Value subscript(const Value& object, const Value& key);

  Value text(std::string_view text) { return Value::string(heap_, text); }
  Value string_literal(const StringLiteral& literal);
  Value new_undefined(std::string why) { return Value::undefined(heap_, std::move(why)); }

  /// Appends to the output; inside capture(), to the text of the innermost one.
  void write(std::string_view text);
  void write(const Value& value);

  const Ref<Scope>& scope() const noexcept { return scope_; }

  /// Runs `body` in a new scope inside `parent`.
  template <class Body>
  auto in_scope(Ref<Scope> parent, const Body& body) {
    const ScopeSwitch inside(*this, heap_.make<Scope>(std::move(parent)));
    return body();
  }

  /// The text that `body` writes, as a value.
  template <class Body>
  Value capture(const Body& body) {
    captures_.push_back(std::make_unique<TextBuilder>(heap_));
    body();
    const std::unique_ptr<TextBuilder> written = std::move(captures_.back());
    captures_.pop_back();
    return written->finish();
  }

  /// Runs `body` one level of calls deeper. Fails beyond RenderLimits::max_depth.
  template <class Body>
  auto one_call_deeper(const Body& body) {
    enter_call();
    auto result = body();
    --call_depth_;  // a fault skips this, but it ends the rendering
    return result;
  }

  /// Renders a loop over `iterable`. `depth` is the number of recursive calls of this loop.
  Flow run_loop(const ForStatement& statement, const Value& iterable, std::uint32_t depth);

 private:
  class ScopeSwitch {
   public:
    ScopeSwitch(Interpreter& interpreter, Ref<Scope> scope)
        : interpreter_(interpreter), outer_(std::exchange(interpreter.scope_, std::move(scope))) {}
    ScopeSwitch(const ScopeSwitch&) = delete;
    ScopeSwitch& operator=(const ScopeSwitch&) = delete;
    ~ScopeSwitch() { interpreter_.scope_ = std::move(outer_); }

   private:
    Interpreter& interpreter_;
    Ref<Scope> outer_;
  };

  void enter_node();
  void enter_call();
  void unpack(const Target& target, const Value& value);

  const Program& program_;
  const Clock& clock_;
  Budget budget_;
  Heap heap_;  // declared before what refers to it, so that it is destroyed after that
  Ref<Scope> scope_;
  std::vector<Value> string_literals_;
  std::vector<std::unique_ptr<TextBuilder>> captures_;
  std::string output_;
  std::uint32_t line_ = 1;
  std::uint32_t node_depth_ = 0;
  std::uint32_t call_depth_ = 0;
};

}  // namespace vernal::jinja
