#include "text/jinja/values/sequences.hpp"

#include <algorithm>
#include <numeric>

#include "text/jinja/values/compare.hpp"

namespace vernal::jinja {

Ref<ListObject> list_of(Interpreter& interpreter, const Value& iterable, ListForm form) {
  Iteration elements(iterable);
  interpreter.budget().read_elements(elements.size());
  Ref<ListObject> list = interpreter.heap().make<ListObject>(form);
  while (std::optional<Value> element = elements.next()) {
    list->append(*std::move(element));
  }
  return list;
}

Ref<ListObject> pair_of(Interpreter& interpreter, const Value& first, const Value& second) {
  Ref<ListObject> pair = interpreter.heap().make<ListObject>(ListForm::kTuple);
  pair->append(first);
  pair->append(second);
  return pair;
}

Ref<ListObject> pairs_of(Interpreter& interpreter, const DictObject& dict, ListForm form) {
  interpreter.budget().read_elements(dict.size());
  Ref<ListObject> list = interpreter.heap().make<ListObject>(form);
  for (const DictObject::Entry& entry : dict.entries()) {
    list->append(Value(pair_of(interpreter, entry.key, entry.value)));
  }
  return list;
}

Ref<ListObject> sorted_list(Interpreter& interpreter, const std::vector<Value>& items,
                            const std::vector<Value>& keys, bool is_reverse) {
  // Positions are sorted, not values: if a comparison fails, no value is half moved.
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return is_reverse ? less_than(keys[right], keys[left], interpreter.budget())
                      : less_than(keys[left], keys[right], interpreter.budget());
  });
  Ref<ListObject> sorted = interpreter.heap().make<ListObject>();
  for (const std::size_t position : order) {
    sorted->append(items[position]);
  }
  return sorted;
}

}  // namespace vernal::jinja
