// Methods of lists, tuples and mappings.
#include <algorithm>
#include <numeric>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/sequences.hpp"

namespace vernal::jinja {
namespace {

Value list_count(Interpreter& interpreter, const Call& call) {
  std::int64_t found = 0;
  for (const Value& item : call.self().list().items()) {
    found += equals(item, call.at(0), interpreter.budget()) ? 1 : 0;
  }
  return Value::integer(found);
}

Value list_index(Interpreter& interpreter, const Call& call) {
  const std::vector<Value>& items = call.self().list().items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equals(items[i], call.at(0), interpreter.budget())) {
      return Value::integer(static_cast<std::int64_t>(i));
    }
  }
  fail("the value is not in the list");
}

Value list_copy(Interpreter& interpreter, const Call& call) {
  return Value(list_of(interpreter, call.self()));
}

/// The list that the method is applied to. Fails for a tuple.
ListObject& list_of(const Call& call, std::string_view method) {
  ListObject& list = call.self().list();
  if (list.is_tuple()) {
    fail("'tuple' object has no attribute '{}'", method);
  }
  return list;
}

Value append(Interpreter& /*interpreter*/, const Call& call) {
  list_of(call, "append").append(call.at(0));
  return Value::none();
}

Value extend(Interpreter& interpreter, const Call& call) {
  ListObject& list = list_of(call, "extend");
  const Ref<ListObject> added =
      list_of(interpreter, call.at(0));  // a copy: it may be the list itself
  for (const Value& item : added->items()) {
    list.append(item);
  }
  return Value::none();
}

Value insert(Interpreter& /*interpreter*/, const Call& call) {
  ListObject& list = list_of(call, "insert");
  const auto length = static_cast<std::int64_t>(list.size());
  std::int64_t position = call.integer(0);
  position = position < -length ? 0 : (position < 0 ? position + length : position);
  list.insert(static_cast<std::uint64_t>(std::min(position, length)), call.at(1));
  return Value::none();
}

Value list_pop(Interpreter& /*interpreter*/, const Call& call) {
  ListObject& list = list_of(call, "pop");
  const auto length = static_cast<std::int64_t>(list.size());
  const std::int64_t position = call.integer(0, -1);
  if (position < -length || position >= length) {
    fail("pop() has no element {} in a list of {}", position, length);
  }
  const auto index = static_cast<std::uint64_t>(position < 0 ? position + length : position);
  Value item = list.items()[index];
  list.erase(index);
  return item;
}

Value remove(Interpreter& interpreter, const Call& call) {
  const auto index = static_cast<std::uint64_t>(list_index(interpreter, call).as_integer());
  list_of(call, "remove").erase(index);
  return Value::none();
}

Value list_reverse(Interpreter& interpreter, const Call& call) {
  ListObject& list = list_of(call, "reverse");
  interpreter.budget().read_elements(list.size());
  list.reverse();
  return Value::none();
}

Value list_sort(Interpreter& interpreter, const Call& call) {
  ListObject& list = list_of(call, "sort");
  const Ref<ListObject> sorted =
      sorted_list(interpreter, list.items(), list.items(), call.flag(0, false));
  list.swap_items(*sorted);
  return Value::none();
}

Value list_clear(Interpreter& /*interpreter*/, const Call& call) {
  list_of(call, "clear").clear();
  return Value::none();
}

Value dict_get(Interpreter& /*interpreter*/, const Call& call) {
  const Value* found = call.self().dict().find(call.at(0));
  return found != nullptr ? *found : (call.has(1) ? call.at(1) : Value::none());
}

Value keys(Interpreter& interpreter, const Call& call) {
  return Value(list_of(interpreter, call.self(), ListForm::kView));
}

Value values(Interpreter& interpreter, const Call& call) {
  Ref<ListObject> list = interpreter.heap().make<ListObject>(ListForm::kView);
  interpreter.budget().read_elements(call.self().dict().size());
  for (const DictObject::Entry& entry : call.self().dict().entries()) {
    list->append(entry.value);
  }
  return Value(std::move(list));
}

Value dict_items(Interpreter& interpreter, const Call& call) {
  return Value(pairs_of(interpreter, call.self().dict(), ListForm::kView));
}

Ref<DictObject> copy_of(Interpreter& interpreter, const DictObject& dict) {
  Ref<DictObject> copy = interpreter.heap().make<DictObject>();
  for (const DictObject::Entry& entry : dict.entries()) {
    copy->set(entry.key, entry.value);
  }
  return copy;
}

Value dict_copy(Interpreter& interpreter, const Call& call) {
  return Value(copy_of(interpreter, call.self().dict()));
}

Value dict_pop(Interpreter& /*interpreter*/, const Call& call) {
  DictObject& dict = call.self().dict();
  const Value* found = dict.find(call.at(0));
  if (found == nullptr) {
    if (!call.has(1)) {
      fail("pop(): the mapping has no such key");
    }
    return call.at(1);
  }
  Value value = *found;
  dict.erase(call.at(0));
  return value;
}

Value popitem(Interpreter& interpreter, const Call& call) {
  DictObject& dict = call.self().dict();
  if (dict.size() == 0) {
    fail("popitem(): the mapping is empty");
  }
  const DictObject::Entry last = dict.entries().back();
  dict.erase(last.key);
  return Value(pair_of(interpreter, last.key, last.value));
}

Value setdefault(Interpreter& /*interpreter*/, const Call& call) {
  DictObject& dict = call.self().dict();
  if (const Value* found = dict.find(call.at(0))) {
    return *found;
  }
  Value value = call.has(1) ? call.at(1) : Value::none();
  dict.set(call.at(0), value);
  return value;
}

Value update(Interpreter& interpreter, const Call& call) {
  DictObject& dict = call.self().dict();
  for (const Value& source : call.all().positional) {
    if (!source.is_dict()) {
      fail("update() takes a mapping, not {}", source.type_name());
    }
    const Ref<DictObject> added =
        copy_of(interpreter, source.dict());  // it may be the same mapping
    for (const DictObject::Entry& entry : added->entries()) {
      dict.set(entry.key, entry.value);
    }
  }
  for (const auto& [name, value] : call.all().named) {
    dict.set(interpreter.text(name), value);
  }
  return Value::none();
}

Value dict_clear(Interpreter& /*interpreter*/, const Call& call) {
  call.self().dict().clear();
  return Value::none();
}

constexpr bool kMutates = true;

constexpr Builtin kListMethods[] = {
    {"count", "value", list_count},
    {"index", "value", list_index},
    {"copy", "", list_copy},
    {"append", "object", append, kMutates},
    {"extend", "iterable", extend, kMutates},
    {"insert", "index object", insert, kMutates},
    {"pop", "index?", list_pop, kMutates},
    {"remove", "value", remove, kMutates},
    {"reverse", "", list_reverse, kMutates},
    {"sort", "reverse?", list_sort, kMutates},
    {"clear", "", list_clear, kMutates},
};

constexpr Builtin kDictMethods[] = {
    {"get", "key default?", dict_get},
    {"keys", "", keys},
    {"values", "", values},
    {"items", "", dict_items},
    {"copy", "", dict_copy},
    {"pop", "key default?", dict_pop, kMutates},
    {"popitem", "", popitem, kMutates},
    {"setdefault", "key default?", setdefault, kMutates},
    {"update", "*", update, kMutates},
    {"clear", "", dict_clear, kMutates},
};

}  // namespace

std::span<const Builtin> list_methods() { return kListMethods; }

std::span<const Builtin> dict_methods() { return kDictMethods; }

}  // namespace vernal::jinja
