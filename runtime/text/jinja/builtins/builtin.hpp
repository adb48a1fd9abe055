// The tables of filters, tests, methods and functions, and how their arguments are bound.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

struct Builtin;

/// The arguments of one call of a builtin, bound to its parameters.
class Call {
 public:
  /// Binds `arguments` to the parameters. Fails with the builtin's name if arguments are missing,
  /// unknown, given twice or too many.
  Call(const Builtin& builtin, const Value& self, const Arguments& arguments);

  /// The value that the filter, test or method is applied to.
  const Value& self() const noexcept { return self_; }
  /// All arguments as they were passed.
  const Arguments& all() const noexcept { return arguments_; }

  bool has(std::size_t index) const noexcept {
    return index < bound_.size() && bound_[index].has_value();
  }
  /// The argument of a parameter; undefined if it is absent.
  Value at(std::size_t index) const { return has(index) ? *bound_[index] : Value(); }
  bool flag(std::size_t index, bool otherwise) const {
    return has(index) ? bound_[index]->truthy() : otherwise;
  }
  /// The argument as an integer. Fails for other types.
  std::int64_t integer(std::size_t index, std::int64_t otherwise = 0) const;
  /// The argument as a string. Fails for other types.
  std::string_view text(std::size_t index, std::string_view otherwise = {}) const;

  /// The value that the builtin is applied to, as a string. Fails for other types.
  std::string_view self_text() const;

 private:
  void bind_named(const std::vector<std::string_view>& names);

  const Builtin& builtin_;
  const Value& self_;
  const Arguments& arguments_;
  std::vector<std::optional<Value>> bound_;
};

/// A function of the engine under the name that templates use.
struct Builtin {
  std::string_view name;
  /// The names of the parameters: "old new count?". A question mark means that a parameter is
  /// optional. "*" means that any arguments are accepted and none is bound.
  std::string_view parameters;
  Value (*function)(Interpreter& interpreter, const Call& call);
  /// Whether it changes the value that it is applied to.
  bool is_mutating = false;
};

/// Binds the arguments and calls.
Value invoke(const Builtin& builtin, Interpreter& interpreter, const Value& self,
             const Arguments& arguments);

/// The filter, test or method of that name, or null. Strings, lists and mappings have methods.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_method(const Value& value, std::string_view name);

/// Functions that every template can call: range, namespace, raise_exception, ...
std::span<const Builtin> global_functions();

// The tables. Each has a file of its own.
std::span<const Builtin> text_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> selection_filters();
std::span<const Builtin> number_filters();
std::span<const Builtin> tests();
std::span<const Builtin> string_methods();
std::span<const Builtin> list_methods();
std::span<const Builtin> dict_methods();

/// Fails for a name that no table has: `unknown filter "x"; did you mean "y"?`
[[noreturn]] void fail_unknown(std::string_view what, std::string_view name,
                               std::span<const std::span<const Builtin>> tables);
[[noreturn]] void fail_unknown_filter(std::string_view name);
[[noreturn]] void fail_unknown_test(std::string_view name);

/// A function as a value: a global function, or a method with its object.
class FunctionObject final : public NativeObject {
 public:
  FunctionObject(const Builtin& builtin, Value self) : builtin_(builtin), self_(std::move(self)) {}

  std::string_view type_name() const noexcept override { return "builtin_function_or_method"; }
  bool is_callable() const noexcept override { return true; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override;
  void drop_references() override { self_ = Value(); }

 private:
  const Builtin& builtin_;
  Value self_;
};

}  // namespace vernal::jinja
