// What filters and methods of lists and mappings have in common.
#pragma once

#include <vector>

#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// A new list of the elements of a value. Fails if it cannot be iterated.
Ref<ListObject> list_of(Interpreter& interpreter, const Value& iterable,
                        ListForm form = ListForm::kList);

/// A tuple of two.
Ref<ListObject> pair_of(Interpreter& interpreter, const Value& first, const Value& second);

/// The (key, value) tuples of a mapping.
Ref<ListObject> pairs_of(Interpreter& interpreter, const DictObject& dict, ListForm form);

/// A new list of `items` in the order of their `keys`; there is a key for each item. Items with
/// equal keys keep their order, also in reverse.
Ref<ListObject> sorted_list(Interpreter& interpreter, const std::vector<Value>& items,
                            const std::vector<Value>& keys, bool is_reverse);

}  // namespace vernal::jinja
