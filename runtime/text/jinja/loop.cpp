#include "text/jinja/loop.hpp"

#include <algorithm>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/compare.hpp"

namespace vernal::jinja {
namespace {

LoopObject& loop_of(const Call& call) { return dynamic_cast<LoopObject&>(call.self().native()); }

Value cycle(Interpreter& /*interpreter*/, const Call& call) {
  const std::vector<Value>& values = call.all().positional;
  if (values.empty()) {
    fail("no items for cycling given");
  }
  return values[static_cast<std::size_t>(loop_of(call).index()) % values.size()];
}

Value changed(Interpreter& /*interpreter*/, const Call& call) {
  return Value::boolean(loop_of(call).has_changed(call.all().positional));
}

constexpr Builtin kMethods[] = {
    {"cycle", "*", cycle},
    {"changed", "*", changed},
};

}  // namespace

std::optional<Value> LoopObject::fetch(Interpreter& interpreter) {
  while (std::optional<Value> element = elements_.next()) {
    if (statement_.condition == nullptr) {
      return element;
    }
    const bool is_chosen = interpreter.in_scope(scope_, [&] {
      interpreter.assign(statement_.target, *element);
      return interpreter.evaluate(*statement_.condition).truthy();
    });
    if (is_chosen) {
      return element;
    }
  }
  return std::nullopt;
}

std::optional<Value> LoopObject::advance(Interpreter& interpreter) {
  std::optional<Value> next;
  if (ahead_.empty()) {
    next = fetch(interpreter);
  } else {
    next = std::move(ahead_.front());
    ahead_.pop_front();
  }
  if (next.has_value()) {
    ++index_;
    previous_ = std::exchange(current_, next);
  }
  return next;
}

std::optional<Value> LoopObject::peek(Interpreter& interpreter) {
  if (ahead_.empty()) {
    std::optional<Value> next = fetch(interpreter);
    if (!next.has_value()) {
      return std::nullopt;
    }
    ahead_.push_back(*std::move(next));
  }
  return ahead_.front();
}

std::int64_t LoopObject::length(Interpreter& interpreter) {
  if (statement_.condition == nullptr) {
    return static_cast<std::int64_t>(elements_.size());
  }
  while (std::optional<Value> next = fetch(interpreter)) {
    grow(sizeof(Value));
    ahead_.push_back(*std::move(next));
  }
  return index_ + 1 + static_cast<std::int64_t>(ahead_.size());
}

std::optional<Value> LoopObject::attribute(Interpreter& interpreter, std::string_view name) {
  using Getter = Value (*)(LoopObject&, Interpreter&);
  struct Attribute {
    std::string_view name;
    Getter get;
  };
  static constexpr Attribute kAttributes[] = {
      {"index", [](auto& loop, auto&) { return Value::integer(loop.index_ + 1); }},
      {"index0", [](auto& loop, auto&) { return Value::integer(loop.index_); }},
      {"first", [](auto& loop, auto&) { return Value::boolean(loop.index_ == 0); }},
      {"last", [](auto& loop, auto& in) { return Value::boolean(!loop.peek(in).has_value()); }},
      {"length", [](auto& loop, auto& in) { return Value::integer(loop.length(in)); }},
      {"revindex",
       [](auto& loop, auto& in) { return Value::integer(loop.length(in) - loop.index_); }},
      {"revindex0",
       [](auto& loop, auto& in) { return Value::integer(loop.length(in) - loop.index_ - 1); }},
      {"depth", [](auto& loop, auto&) { return Value::integer(loop.depth_ + 1); }},
      {"depth0", [](auto& loop, auto&) { return Value::integer(loop.depth_); }},
      {"previtem",
       [](auto& loop, auto& in) {
         return loop.previous_.has_value() ? *loop.previous_
                                           : in.new_undefined("there is no previous item");
       }},
      {"nextitem",
       [](auto& loop, auto& in) {
         const std::optional<Value> next = loop.peek(in);
         return next.has_value() ? *next : in.new_undefined("there is no next item");
       }},
  };
  for (const Attribute& candidate : kAttributes) {
    if (candidate.name == name) {
      return candidate.get(*this, interpreter);
    }
  }
  for (const Builtin& method : kMethods) {
    if (method.name == name) {
      return Value(interpreter.heap().make<FunctionObject>(method, Value(Ref<NativeObject>(this))));
    }
  }
  return std::nullopt;
}

Value LoopObject::call(Interpreter& interpreter, const Arguments& arguments) {
  if (!statement_.is_recursive) {
    fail("the loop must have the 'recursive' marker to be called recursively");
  }
  if (arguments.positional.size() != 1 || !arguments.named.empty()) {
    fail("a recursive loop takes one argument: what to loop over");
  }
  return interpreter.one_call_deeper([&] {
    return interpreter.capture([&] {
      interpreter.in_scope(scope_, [&] {
        return interpreter.run_loop(statement_, arguments.positional[0], depth_ + 1);
      });
    });
  });
}

bool LoopObject::has_changed(const std::vector<Value>& values) {
  const bool is_same = last_values_.has_value() &&
                       std::equal(values.begin(), values.end(), last_values_->begin(),
                                  last_values_->end(), [&](const Value& left, const Value& right) {
                                    return equals(left, right, heap().budget());
                                  });
  last_values_ = values;
  return !is_same;
}

void LoopObject::drop_references() {
  elements_ = Iteration(Value());
  scope_ = {};
  previous_.reset();
  current_.reset();
  ahead_.clear();
  last_values_.reset();
}

}  // namespace vernal::jinja
