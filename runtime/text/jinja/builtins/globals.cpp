// Functions that every template can call.
#include <array>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/builtins/clock.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"

namespace vernal::jinja {
namespace {

Value raise_exception(Interpreter& interpreter, const Call& call) {
  throw Fault(Fault::Kind::kRaised,
              std::string(to_string_value(interpreter.heap(), call.at(0)).text()));
}

Value strftime_now(Interpreter& interpreter, const Call& call) {
  const std::string_view format = call.text(0);
  if (!interpreter.clock()) {
    fail("strftime_now() has no clock to ask");
  }
  constexpr std::uint64_t kGrowth = 16;  // a directive's text has at most so many times its bytes
  interpreter.budget().charge(format.size() * kGrowth);
  interpreter.budget().release(format.size() * kGrowth);
  interpreter.budget().read_bytes(format.size() * kGrowth);
  return interpreter.text(format_time(interpreter.clock()(), format));
}

Value make_range(Interpreter& interpreter, const Call& call) {
  const std::vector<Value>& given = call.all().positional;
  constexpr std::size_t kMostArguments = 3;
  if (given.empty() || given.size() > kMostArguments || !call.all().named.empty()) {
    fail("range() takes one to three integers");
  }
  std::array<std::int64_t, kMostArguments> bounds = {0, 0, 1};
  if (given.size() == 1) {
    bounds[1] = require_integer(given[0], "range()");
  }
  for (std::size_t i = 0; given.size() > 1 && i < given.size(); ++i) {
    bounds[i] = require_integer(given[i], "range()");
  }
  if (bounds[2] == 0) {
    fail("range() arg 3 must not be zero");
  }
  return Value(interpreter.heap().make<RangeObject>(bounds[0], bounds[1], bounds[2]));
}

/// The mapping that `dict(mapping or pairs, name=value)` makes.
Ref<DictObject> dict_from(Interpreter& interpreter, const Call& call, std::string_view name) {
  if (call.all().positional.size() > 1) {
    fail("{}() takes at most one argument without a name", name);
  }
  Ref<DictObject> dict = interpreter.heap().make<DictObject>();
  if (!call.all().positional.empty()) {
    const Value& source = call.all().positional[0];
    Iteration elements(source);
    while (const std::optional<Value> element = elements.next()) {
      interpreter.budget().step();
      if (source.is_dict()) {
        dict->set(*element, *source.dict().find(*element));
      } else if (element->is_list() && element->list().size() == 2) {
        dict->set(element->list().items()[0], element->list().items()[1]);
      } else {
        fail("{}() takes a mapping or pairs", name);
      }
    }
  }
  for (const auto& [key, value] : call.all().named) {
    dict->set(interpreter.text(key), value);
  }
  return dict;
}

Value make_dict(Interpreter& interpreter, const Call& call) {
  return Value(dict_from(interpreter, call, "dict"));
}

Value make_namespace(Interpreter& interpreter, const Call& call) {
  Ref<DictObject> attributes = dict_from(interpreter, call, "namespace");
  Ref<NamespaceObject> made = interpreter.heap().make<NamespaceObject>();
  made->set_attributes(std::move(attributes));
  return Value(std::move(made));
}

/// `joiner(", ")`: its first call returns nothing, every later call the separator.
class JoinerObject final : public NativeObject {
 public:
  explicit JoinerObject(Value separator) : separator_(std::move(separator)) {}

  std::string_view type_name() const noexcept override { return "Joiner"; }
  bool is_callable() const noexcept override { return true; }
  Value call(Interpreter& interpreter, const Arguments& /*arguments*/) override {
    return std::exchange(is_used_, true) ? separator_ : interpreter.text("");
  }
  void drop_references() override { separator_ = Value(); }

 private:
  Value separator_;
  bool is_used_ = false;
};

Value make_joiner(Interpreter& interpreter, const Call& call) {
  return Value(
      interpreter.heap().make<JoinerObject>(call.has(0) ? call.at(0) : interpreter.text(", ")));
}

/// `cycler("a", "b")`: next() returns one argument after another, and begins again after the last.
class CyclerObject final : public NativeObject {
 public:
  explicit CyclerObject(std::vector<Value> items) : items_(std::move(items)) {}

  std::string_view type_name() const noexcept override { return "Cycler"; }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void drop_references() override { items_.clear(); }

  const Value& current() const { return items_[position_]; }
  void advance() { position_ = (position_ + 1) % items_.size(); }
  void reset() { position_ = 0; }

 private:
  std::vector<Value> items_;
  std::size_t position_ = 0;
};

CyclerObject& cycler_of(const Call& call) {
  return dynamic_cast<CyclerObject&>(call.self().native());
}

Value cycler_next(Interpreter& /*interpreter*/, const Call& call) {
  CyclerObject& cycler = cycler_of(call);
  const Value item = cycler.current();
  cycler.advance();
  return item;
}

Value cycler_reset(Interpreter& /*interpreter*/, const Call& call) {
  cycler_of(call).reset();
  return Value::none();
}

constexpr Builtin kCyclerMethods[] = {
    {"next", "", cycler_next},
    {"reset", "", cycler_reset},
};

std::optional<Value> CyclerObject::attribute(Interpreter& interpreter, std::string_view name) {
  if (name == "current") {
    return current();
  }
  for (const Builtin& method : kCyclerMethods) {
    if (method.name == name) {
      return Value(interpreter.heap().make<FunctionObject>(method, Value(Ref<NativeObject>(this))));
    }
  }
  return std::nullopt;
}

Value make_cycler(Interpreter& interpreter, const Call& call) {
  if (call.all().positional.empty()) {
    fail("cycler() needs at least one item");
  }
  return Value(interpreter.heap().make<CyclerObject>(call.all().positional));
}

constexpr Builtin kFunctions[] = {
    {"raise_exception", "message", raise_exception},
    {"strftime_now", "format", strftime_now},
    {"range", "*", make_range},
    {"dict", "*", make_dict},
    {"namespace", "*", make_namespace},
    {"joiner", "sep?", make_joiner},
    {"cycler", "*", make_cycler},
};

}  // namespace

std::span<const Builtin> global_functions() { return kFunctions; }

}  // namespace vernal::jinja
