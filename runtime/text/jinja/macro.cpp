#include "text/jinja/macro.hpp"

#include <algorithm>

#include "text/jinja/error.hpp"

namespace vernal::jinja {
namespace {

const Value* find_named(const Arguments& arguments, std::string_view name) {
  const auto found = std::find_if(arguments.named.begin(), arguments.named.end(),
                                  [&](const auto& argument) { return argument.first == name; });
  return found == arguments.named.end() ? nullptr : &found->second;
}

}  // namespace

bool MacroObject::is_parameter(std::string_view name) const {
  return std::any_of(definition_.parameters.begin(), definition_.parameters.end(),
                     [&](const auto& parameter) { return parameter.name == name; });
}

void MacroObject::bind_extra_positional(Interpreter& interpreter,
                                        const Arguments& arguments) const {
  const std::size_t num_parameters = definition_.parameters.size();
  if (!definition_.varargs.has_value()) {
    if (arguments.positional.size() > num_parameters) {
      fail("macro '{}' takes not more than {} argument(s)", definition_.name, num_parameters);
    }
    return;
  }
  Ref<ListObject> extra = interpreter.heap().make<ListObject>(ListForm::kTuple);
  for (std::size_t i = num_parameters; i < arguments.positional.size(); ++i) {
    extra->append(arguments.positional[i]);
  }
  interpreter.set_variable(*definition_.varargs, Value(std::move(extra)));
}

void MacroObject::bind_extra_named(Interpreter& interpreter, const Arguments& arguments) const {
  Ref<DictObject> extra = interpreter.heap().make<DictObject>();
  for (const auto& [name, value] : arguments.named) {
    if (is_parameter(name) || (name == "caller" && definition_.caller.has_value())) {
      continue;
    }
    if (!definition_.kwargs.has_value()) {
      fail("macro '{}' takes no keyword argument '{}'", definition_.name, name);
    }
    extra->set(interpreter.text(name), value);
  }
  if (definition_.kwargs.has_value()) {
    interpreter.set_variable(*definition_.kwargs, Value(std::move(extra)));
  }
}

void MacroObject::bind(Interpreter& interpreter, const Arguments& arguments) const {
  for (std::size_t i = 0; i < definition_.parameters.size(); ++i) {
    const MacroDefinition::Parameter& parameter = definition_.parameters[i];
    const Value* const named = find_named(arguments, parameter.name);
    Value value;
    if (i < arguments.positional.size()) {
      if (named != nullptr) {
        fail("macro '{}' got multiple values for argument '{}'", definition_.name, parameter.name);
      }
      value = arguments.positional[i];
    } else if (named != nullptr) {
      value = *named;
    } else if (parameter.default_value != nullptr) {
      value = interpreter.evaluate(*parameter.default_value);
    } else {
      value =
          interpreter.new_undefined(fmt::format("parameter '{}' was not provided", parameter.name));
    }
    interpreter.set_variable(parameter.symbol, std::move(value));
  }
  bind_extra_positional(interpreter, arguments);
  bind_extra_named(interpreter, arguments);
  if (definition_.caller.has_value()) {
    const Value* const caller = find_named(arguments, "caller");
    interpreter.set_variable(
        *definition_.caller,
        caller != nullptr ? *caller : interpreter.new_undefined("no caller defined"));
  }
}

Value MacroObject::call(Interpreter& interpreter, const Arguments& arguments) {
  return interpreter.one_call_deeper([&] {
    return interpreter.in_scope(scope_, [&] {
      bind(interpreter, arguments);
      return interpreter.capture([&] { interpreter.execute(definition_.body); });
    });
  });
}

std::optional<Value> MacroObject::attribute(Interpreter& interpreter, std::string_view name) {
  if (name == "name") {
    return interpreter.text(definition_.name);
  }
  return std::nullopt;
}

}  // namespace vernal::jinja
