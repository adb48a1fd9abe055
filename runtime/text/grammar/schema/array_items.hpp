// Arrays, item by item.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/grammar/automaton/frame.hpp"
#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"
#include "text/grammar/schema/word_lists.hpp"

namespace vernal::grammar {

/// One way in which an array goes on.
struct ArrayItem {
  Frame after;               ///< the place behind the item, of the kind of the one before it
  ConjId value = kAnything;  ///< what the item is
  const std::string* text = nullptr;  ///< if it is one text, as JSON; lives as long as the shapes
};

/// Follows an array from item to item. A place in it is a frame with `spec`, the ArraySpec;
/// `count`, its items up to ArraySpec::cap; `set`, the bits of the unique items that came, or how
/// many items meet each condition of ArraySpec::contained.
/// Thread   one
class ArrayItems {
 public:
  /// All must outlive it.
  ArrayItems(Evaluator& evaluator, ShapeTable& shapes, WordLists& lists)
      : evaluator_(evaluator), shapes_(shapes), lists_(lists) {}

  bool can_close(const Frame& frame) const;
  /// Whether an item may come next.
  bool can_go_on(const Frame& frame);
  /// The items that may come next. None after which the array cannot be completed.
  std::vector<ArrayItem> next(const Frame& frame);

 private:
  bool is_full(const Frame& frame) const;
  std::vector<ArrayItem> unique_items(const Frame& after);
  std::vector<ArrayItem> counted_items(const Frame& frame, const Frame& after);

  Evaluator& evaluator_;
  ShapeTable& shapes_;
  WordLists& lists_;
};

}  // namespace vernal::grammar
