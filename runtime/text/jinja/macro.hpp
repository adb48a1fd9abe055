// Macros and the bodies of call blocks as values.
#pragma once

#include <optional>
#include <string_view>

#include "text/jinja/interpreter.hpp"
#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// A macro and the scope it was defined in. A call sees the variables of that scope as they are
/// then.
class MacroObject final : public NativeObject {
 public:
  MacroObject(const MacroDefinition& definition, Ref<Scope> scope)
      : definition_(definition), scope_(std::move(scope)) {}

  std::string_view type_name() const noexcept override { return "Macro"; }
  bool is_callable() const noexcept override { return true; }
  /// Renders the body and returns its text.
  Value call(Interpreter& interpreter, const Arguments& arguments) override;
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void drop_references() override { scope_ = {}; }

 private:
  void bind(Interpreter& interpreter, const Arguments& arguments) const;
  void bind_extra_positional(Interpreter& interpreter, const Arguments& arguments) const;
  void bind_extra_named(Interpreter& interpreter, const Arguments& arguments) const;
  bool is_parameter(std::string_view name) const;

  const MacroDefinition& definition_;
  Ref<Scope> scope_;
};

}  // namespace vernal::jinja
