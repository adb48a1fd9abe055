// The variable `loop` of a for statement.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "text/jinja/interpreter.hpp"
#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// One run of a for statement: its position and its next elements. Elements are taken one at a
/// time, so that the condition of a loop sees what the body has set before.
class LoopObject final : public NativeObject {
 public:
  ///   scope   the scope around the loop
  ///   depth   the number of recursive calls
  LoopObject(const ForStatement& statement, const Value& iterable, Ref<Scope> scope,
             std::uint32_t depth)
      : statement_(statement), elements_(iterable), scope_(std::move(scope)), depth_(depth) {}

  /// Moves to the next element and returns it; nothing at the end.
  std::optional<Value> advance(Interpreter& interpreter);

  std::string_view type_name() const noexcept override { return "LoopContext"; }
  bool is_callable() const noexcept override { return true; }
  /// Runs a recursive loop over other elements and returns its text.
  Value call(Interpreter& interpreter, const Arguments& arguments) override;
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void drop_references() override;

  std::int64_t index() const noexcept { return index_; }
  /// Whether the values differ from those of the last call.
  bool has_changed(const std::vector<Value>& values);

 private:
  std::optional<Value> fetch(Interpreter& interpreter);
  /// The element after the current one.
  std::optional<Value> peek(Interpreter& interpreter);
  /// The number of elements. If the loop has a condition, all elements are taken to count them.
  std::int64_t length(Interpreter& interpreter);

  const ForStatement& statement_;
  Iteration elements_;
  Ref<Scope> scope_;
  std::uint32_t depth_;
  std::int64_t index_ = -1;
  std::optional<Value> previous_;
  std::optional<Value> current_;
  std::deque<Value> ahead_;  // were taken from elements_; the loop has not reached them
  std::optional<std::vector<Value>> last_values_;
};

}  // namespace vernal::jinja
