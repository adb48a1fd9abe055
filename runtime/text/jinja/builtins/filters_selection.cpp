// Filters that apply another filter or a test to each element.
#include "text/jinja/attribute_path.hpp"
#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"

namespace vernal::jinja {
namespace {

/// The arguments without the first `count` positional ones.
Arguments arguments_behind(const Arguments& arguments, std::size_t count) {
  Arguments rest;
  rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(count),
                         arguments.positional.end());
  rest.named = arguments.named;
  return rest;
}

/// The elements of the value. A value that is false has no elements, even if it cannot be iterated.
Iteration elements_of(const Call& call) {
  return Iteration(call.self().truthy() ? call.self() : Value());
}

/// map(attribute="name", default=value)
Value map_attribute(Interpreter& interpreter, const Call& call) {
  Value attribute;
  Value otherwise;
  for (const auto& [name, value] : call.all().named) {
    if (name == "attribute") {
      attribute = value;
    } else if (name == "default") {
      otherwise = value;
    } else {
      fail("map() has no argument '{}'", name);
    }
  }
  if (attribute.is_undefined()) {
    fail("map() needs the name of a filter, or an attribute");
  }
  const AttributePath path(attribute, otherwise);
  Ref<ListObject> result = interpreter.heap().make<ListObject>(ListForm::kGenerator);
  Iteration elements = elements_of(call);
  while (const std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    result->append(path.follow(interpreter, *element));
  }
  return Value(std::move(result));
}

Value map(Interpreter& interpreter, const Call& call) {
  if (call.all().positional.empty()) {
    return map_attribute(interpreter, call);
  }
  const std::string_view name = require_string(call.all().positional[0], "the name of a filter");
  const Builtin* filter = find_filter(name);
  if (filter == nullptr) {
    fail_unknown_filter(name);
  }
  const Arguments rest = arguments_behind(call.all(), 1);
  Ref<ListObject> result = interpreter.heap().make<ListObject>(ListForm::kGenerator);
  Iteration elements = elements_of(call);
  while (const std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    result->append(
        interpreter.one_call_deeper([&] { return invoke(*filter, interpreter, *element, rest); }));
  }
  return Value(std::move(result));
}

/// The elements that pass the test, or those that do not. With `by_attribute`, an attribute of the
/// element is tested instead of the element.
Value select_elements(Interpreter& interpreter, const Call& call, bool by_attribute,
                      bool wants_passing) {
  const std::vector<Value>& given = call.all().positional;
  const std::size_t test_index = by_attribute ? 1 : 0;
  if (given.size() < test_index) {
    fail("missing parameter for attribute name");
  }
  const AttributePath path(by_attribute ? given[0] : Value());
  const Builtin* test = nullptr;
  Arguments rest;
  if (given.size() > test_index) {
    const std::string_view name = require_string(given[test_index], "the name of a test");
    test = find_test(name);
    if (test == nullptr) {
      fail_unknown_test(name);
    }
    rest = arguments_behind(call.all(), test_index + 1);
  }
  Ref<ListObject> result = interpreter.heap().make<ListObject>(ListForm::kGenerator);
  Iteration elements = elements_of(call);
  while (std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    const Value tested = path.follow(interpreter, *element);
    const bool passes =
        test == nullptr ? tested.truthy() : invoke(*test, interpreter, tested, rest).truthy();
    if (passes == wants_passing) {
      result->append(*std::move(element));
    }
  }
  return Value(std::move(result));
}

Value select(Interpreter& interpreter, const Call& call) {
  return select_elements(interpreter, call, false, true);
}

Value reject(Interpreter& interpreter, const Call& call) {
  return select_elements(interpreter, call, false, false);
}

Value selectattr(Interpreter& interpreter, const Call& call) {
  return select_elements(interpreter, call, true, true);
}

Value rejectattr(Interpreter& interpreter, const Call& call) {
  return select_elements(interpreter, call, true, false);
}

constexpr Builtin kSelectionFilters[] = {
    {"map", "*", map},
    {"select", "*", select},
    {"reject", "*", reject},
    {"selectattr", "*", selectattr},
    {"rejectattr", "*", rejectattr},
};

}  // namespace

std::span<const Builtin> selection_filters() { return kSelectionFilters; }

}  // namespace vernal::jinja
