// Filters for lists, mappings and whatever else can be iterated.
#include <algorithm>

#include "text/jinja/attribute_path.hpp"
#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/sequences.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

Value length(Interpreter& /*interpreter*/, const Call& call) {
  const std::optional<std::uint64_t> length = call.self().length();
  if (!length.has_value()) {
    fail("object of type '{}' has no len()", call.self().type_name());
  }
  return Value::integer(static_cast<std::int64_t>(*length));
}

Value list(Interpreter& interpreter, const Call& call) {
  return Value(list_of(interpreter, call.self()));
}

Value first(Interpreter& interpreter, const Call& call) {
  const std::optional<Value> element = Iteration(call.self()).next();
  return element.has_value() ? *element
                             : interpreter.new_undefined("no first item, sequence was empty");
}

Value last(Interpreter& interpreter, const Call& call) {
  const Value& value = call.self();
  const std::optional<std::uint64_t> length = value.length();
  if (!length.has_value()) {
    fail("'{}' object is not iterable", value.type_name());
  }
  if (*length == 0) {
    return interpreter.new_undefined("no last item, sequence was empty");
  }
  return value.is_dict() ? value.dict().entries().back().key
                         : *item(interpreter.heap(), value, Value::integer(-1));
}

Value join(Interpreter& interpreter, const Call& call) {
  const Value separator =
      call.has(0) ? to_string_value(interpreter.heap(), call.at(0)) : interpreter.text("");
  const AttributePath path(call.at(1));
  Iteration elements(call.self());
  TextBuilder out(interpreter.heap());
  bool is_first = true;
  while (const std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    out.append(std::exchange(is_first, false) ? std::string_view{} : separator.text());
    print(out, path.follow(interpreter, *element));
  }
  return out.finish();
}

Value reverse(Interpreter& interpreter, const Call& call) {
  if (call.self().is_string()) {
    return slice(interpreter.heap(), call.self(), Value::none(), Value::none(), Value::integer(-1));
  }
  const Ref<ListObject> list = list_of(interpreter, call.self());
  list->reverse();
  return Value(list);
}

/// The value by which an element is compared. Strings are compared without their case, unless the
/// case is to count.
Value comparison_key(Interpreter& interpreter, const Value& value, bool is_case_sensitive) {
  if (!value.is_string() || is_case_sensitive) {
    return value;
  }
  interpreter.budget().read_bytes(value.text().size() * 8);
  return interpreter.text(to_lower(value.text()));
}

/// The comparison keys of all elements by one attribute path.
Ref<ListObject> keys_of(Interpreter& interpreter, const ListObject& elements,
                        const AttributePath& path, bool is_case_sensitive) {
  Ref<ListObject> keys = interpreter.heap().make<ListObject>();
  for (const Value& element : elements.items()) {
    interpreter.budget().step();
    keys->append(comparison_key(interpreter, path.follow(interpreter, element), is_case_sensitive));
  }
  return keys;
}

Value sort(Interpreter& interpreter, const Call& call) {
  const Ref<ListObject> elements = list_of(interpreter, call.self());
  const bool is_case_sensitive = call.flag(1, false);
  const std::vector<AttributePath> paths =
      call.at(2).is_string() ? AttributePath::parse_list(call.text(2))
                             : std::vector<AttributePath>{AttributePath(call.at(2))};
  // Attributes are compared one after another. Equal attributes are not asked which one is less.
  const Ref<ListObject> keys = interpreter.heap().make<ListObject>();
  for (const Value& element : elements->items()) {
    const Ref<ListObject> parts = interpreter.heap().make<ListObject>(ListForm::kTuple);
    for (const AttributePath& path : paths) {
      interpreter.budget().step();
      parts->append(
          comparison_key(interpreter, path.follow(interpreter, element), is_case_sensitive));
    }
    keys->append(Value(parts));
  }
  return Value(sorted_list(interpreter, elements->items(), keys->items(), call.flag(0, false)));
}

Value unique(Interpreter& interpreter, const Call& call) {
  const Ref<ListObject> elements = list_of(interpreter, call.self());
  const Ref<ListObject> keys =
      keys_of(interpreter, *elements, AttributePath(call.at(1)), call.flag(0, false));
  const Ref<DictObject> seen = interpreter.heap().make<DictObject>();
  Ref<ListObject> result = interpreter.heap().make<ListObject>();
  for (std::size_t i = 0; i < elements->size(); ++i) {
    if (seen->find(keys->items()[i]) == nullptr) {
      seen->set(keys->items()[i], Value::none());
      result->append(elements->items()[i]);
    }
  }
  return Value(std::move(result));
}

Value extreme(Interpreter& interpreter, const Call& call, bool wants_largest) {
  const Ref<ListObject> elements = list_of(interpreter, call.self());
  const Ref<ListObject> keys =
      keys_of(interpreter, *elements, AttributePath(call.at(1)), call.flag(0, false));
  if (elements->size() == 0) {
    return interpreter.new_undefined("no aggregated item, sequence was empty");
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < keys->size(); ++i) {
    const Value& candidate = keys->items()[i];
    const Value& holder = keys->items()[best];
    if (wants_largest ? less_than(holder, candidate, interpreter.budget(), ">")
                      : less_than(candidate, holder, interpreter.budget())) {
      best = i;
    }
  }
  return elements->items()[best];
}

Value min(Interpreter& interpreter, const Call& call) { return extreme(interpreter, call, false); }

Value max(Interpreter& interpreter, const Call& call) { return extreme(interpreter, call, true); }

Value sum(Interpreter& interpreter, const Call& call) {
  const AttributePath path(call.at(0));
  Value total = call.has(1) ? call.at(1) : Value::integer(0);
  if (total.is_string()) {
    fail("sum() can't sum strings; use the filter join");
  }
  Iteration elements(call.self());
  while (const std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    total =
        apply(interpreter.heap(), BinaryOperator::kAdd, total, path.follow(interpreter, *element));
  }
  return total;
}

Value items(Interpreter& interpreter, const Call& call) {
  if (call.self().is_undefined()) {
    return Value(interpreter.heap().make<ListObject>(ListForm::kGenerator));
  }
  if (!call.self().is_dict()) {
    fail("can only get item pairs from a mapping, not from {}", call.self().type_name());
  }
  return Value(pairs_of(interpreter, call.self().dict(), ListForm::kGenerator));
}

Value dictsort(Interpreter& interpreter, const Call& call) {
  if (!call.self().is_dict()) {
    fail("dictsort() takes a mapping, not {}", call.self().type_name());
  }
  const std::string_view by = call.text(1, "key");
  if (by != "key" && by != "value") {
    fail("you can only sort by either \"key\" or \"value\"");
  }
  const Ref<ListObject> pairs = pairs_of(interpreter, call.self().dict(), ListForm::kList);
  const AttributePath path(Value::integer(by == "key" ? 0 : 1));
  const Ref<ListObject> keys = keys_of(interpreter, *pairs, path, call.flag(0, false));
  return Value(sorted_list(interpreter, pairs->items(), keys->items(), call.flag(2, false)));
}

Value batch(Interpreter& interpreter, const Call& call) {
  const std::int64_t size = call.integer(0);
  if (size < 1) {
    fail("batch() needs a size of at least 1");
  }
  Ref<ListObject> batches = interpreter.heap().make<ListObject>();
  Ref<ListObject> current;
  Iteration elements(call.self());
  while (std::optional<Value> element = elements.next()) {
    interpreter.budget().step();
    if (!current || current->size() == static_cast<std::uint64_t>(size)) {
      current = interpreter.heap().make<ListObject>();
      batches->append(Value(current));
    }
    current->append(*std::move(element));
  }
  while (current && call.has(1) && !call.at(1).is_none() &&
         current->size() < static_cast<std::uint64_t>(size)) {
    current->append(call.at(1));
  }
  return Value(std::move(batches));
}

Value slice_evenly(Interpreter& interpreter, const Call& call) {
  const std::int64_t num_slices = call.integer(0);
  if (num_slices < 1) {
    fail("slice() needs at least 1 slice");
  }
  const Ref<ListObject> elements = list_of(interpreter, call.self());
  const auto length = static_cast<std::int64_t>(elements->size());
  const std::int64_t each = length / num_slices;
  const std::int64_t num_longer = length % num_slices;
  Ref<ListObject> slices = interpreter.heap().make<ListObject>();
  std::size_t position = 0;
  for (std::int64_t i = 0; i < num_slices; ++i) {
    interpreter.budget().step();
    const Ref<ListObject> part = interpreter.heap().make<ListObject>();
    for (std::int64_t taken = 0; taken < each + (i < num_longer ? 1 : 0); ++taken) {
      part->append(elements->items()[position++]);
    }
    if (call.has(1) && !call.at(1).is_none() && i >= num_longer && num_longer != 0) {
      part->append(call.at(1));
    }
    slices->append(Value(part));
  }
  return Value(std::move(slices));
}

Value groupby(Interpreter& interpreter, const Call& call) {
  const Ref<ListObject> elements = list_of(interpreter, call.self());
  const AttributePath path(call.at(0), call.at(1));
  const bool is_case_sensitive = call.flag(2, false);
  const Ref<ListObject> keys = keys_of(interpreter, *elements, path, is_case_sensitive);
  const Ref<ListObject> sorted = sorted_list(interpreter, elements->items(), keys->items(), false);
  const Ref<ListObject> sorted_keys = keys_of(interpreter, *sorted, path, is_case_sensitive);
  Ref<ListObject> groups = interpreter.heap().make<ListObject>();
  Ref<ListObject> group;
  for (std::size_t i = 0; i < sorted->size(); ++i) {
    const Value& element = sorted->items()[i];
    if (i == 0 ||
        !equals(sorted_keys->items()[i - 1], sorted_keys->items()[i], interpreter.budget())) {
      group = interpreter.heap().make<ListObject>();
      groups->append(Value(pair_of(interpreter, path.follow(interpreter, element), Value(group))));
    }
    group->append(element);
  }
  return Value(std::move(groups));
}

Value default_value(Interpreter& interpreter, const Call& call) {
  const bool is_replaced =
      call.self().is_undefined() || (call.flag(1, false) && !call.self().truthy());
  if (!is_replaced) {
    return call.self();
  }
  return call.has(0) ? call.at(0) : interpreter.text("");
}

Value attr(Interpreter& interpreter, const Call& call) {
  // This filter reads attributes only, not the elements of a mapping.
  return call.self().is_dict()
             ? interpreter.new_undefined(fmt::format("no attribute '{}'", call.text(0)))
             : interpreter.attribute(call.self(), call.text(0));
}

Value pprint(Interpreter& interpreter, const Call& call) {
  TextBuilder out(interpreter.heap());
  print_repr(out, call.self());
  return out.finish();
}

constexpr Builtin kSequenceFilters[] = {
    {"length", "", length},
    {"count", "", length},
    {"list", "", list},
    {"first", "", first},
    {"last", "", last},
    {"join", "d? attribute?", join},
    {"reverse", "", reverse},
    {"sort", "reverse? case_sensitive? attribute?", sort},
    {"unique", "case_sensitive? attribute?", unique},
    {"min", "case_sensitive? attribute?", min},
    {"max", "case_sensitive? attribute?", max},
    {"sum", "attribute? start?", sum},
    {"items", "", items},
    {"dictsort", "case_sensitive? by? reverse?", dictsort},
    {"batch", "linecount fill_with?", batch},
    {"slice", "slices fill_with?", slice_evenly},
    {"groupby", "attribute default? case_sensitive?", groupby},
    {"default", "default_value? boolean?", default_value},
    {"d", "default_value? boolean?", default_value},
    {"attr", "name", attr},
    {"pprint", "", pprint},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kSequenceFilters; }

}  // namespace vernal::jinja
