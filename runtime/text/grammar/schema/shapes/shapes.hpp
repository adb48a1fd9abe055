// Values in the form that an automaton walks through.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/shapes/array_spec.hpp"
#include "text/grammar/schema/shapes/object_spec.hpp"
#include "text/grammar/schema/values.hpp"

namespace vernal::grammar {

/// The values of a conjunction.
struct Shape {
  std::uint8_t words = 0;
  Re numbers = kNothing;
  Re strings = kNothing;
  bool are_literals = false;           ///< the strings are texts of the schema
  std::vector<std::uint32_t> arrays;   ///< of ShapeTable::array
  std::vector<std::uint32_t> objects;  ///< of ShapeTable::object

  bool is_empty() const noexcept {
    return words == 0 && numbers == kNothing && strings == kNothing && arrays.empty() &&
           objects.empty();
  }
};

/// Shapes of conjunctions, made when they are first asked for. A shape holds no case that no value
/// fits, as far as a search of limited depth finds out.
/// Thread   one
class ShapeTable {
 public:
  explicit ShapeTable(Evaluator& evaluator);
  ShapeTable(const ShapeTable&) = delete;
  ShapeTable& operator=(const ShapeTable&) = delete;

  const Shape& shape(ConjId conj);
  ObjectSpec& object(std::uint32_t id) { return *objects_[id]; }
  const ArraySpec& array(std::uint32_t id) const { return *arrays_[id]; }

  /// Whether some value fits. Beyond the depth of the search, the answer is yes.
  bool is_possible(ConjId conj);
  bool is_possible(const ObjectCase& one);
  bool is_possible(const ArrayCase& one);

  /// The same for what is kept: a "no" that rests on an open search becomes a "yes".
  template <class Case>
  bool may_be_possible(const Case& one) {
    const bool outer_no = std::exchange(is_guessed_no_, false);
    const bool outer_yes = is_guessed_yes_;
    const bool found = is_possible(one) || is_guessed_no_;
    is_guessed_no_ = outer_no;
    is_guessed_yes_ = outer_yes;
    return found;
  }

  /// Whether the work that searches may do is used up. They answer yes from then on.
  bool is_exhausted() const noexcept { return work_left_ == 0; }
  void allow_work(std::size_t cases) noexcept { work_left_ = cases; }

  /// The value of a key that no schema names, by the patterns that match it.
  ConjId unnamed_value(ObjectSpec& spec, const std::vector<bool>& matching);
  /// As ArraySpecMaker has it.
  bool can_meet_contained(const ArraySpec& spec, std::uint64_t count,
                          const std::vector<std::uint32_t>& counts) {
    return array_maker_.can_meet_contained(spec, count, counts);
  }

 private:
  enum class Answer : std::uint8_t { kUnknown, kYes, kNo, kOpen, kGuess };

  static constexpr int kMaxSearch = 24;  // schemas in each other

  Shape make_shape(ConjId conj);
  bool search(ConjId conj);

  Evaluator& evaluator_;
  ObjectSpecMaker object_maker_;
  ArraySpecMaker array_maker_;
  std::map<ConjId, std::unique_ptr<Shape>> shapes_;
  std::vector<std::unique_ptr<ObjectSpec>> objects_;
  std::vector<std::unique_ptr<ArraySpec>> arrays_;
  std::map<ConjId, Answer> answers_;
  int depth_ = 0;
  std::size_t work_left_ = 20'000;  // cases
  std::vector<ConjId> guesses_;     // answers that hold for this search alone
  bool is_guessed_no_ = false;      // an answer rests on one that is still open
  bool is_guessed_yes_ = false;     // or on one that could not be searched for
};

}  // namespace vernal::grammar
