// Values in the form that an automaton walks through.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/values.hpp"

namespace vernal::grammar {

/// A key that a schema names.
struct KeySpec {
  std::u32string text;
  ConjId value = kAnything;
  bool is_required = false;
  bool is_offered = true;      ///< some value is allowed
  std::uint32_t position = 0;  ///< in the order of the schema
  std::uint32_t some = 0;      ///< bits of `ObjectSpec::some` that the key is in
};

/// A class of keys that no schema names.
struct KeyPattern {
  Re re = kNothing;
  ConjId value = kAnything;
  std::uint32_t group = 0;  ///< that the pattern spares `additional`; none for those of `some`
};

/// Objects of one case. Keys are sorted by text.
struct ObjectSpec {
  std::vector<KeySpec> keys;
  std::vector<std::uint32_t> order;  ///< positions in `keys`, as in the schema
  Re unnamed = kNothing;             ///< keys beyond `keys` that may be used
  std::vector<KeyPattern> patterns;  ///< those of `some` come last
  std::vector<ConjId> additional;    ///< by group
  std::vector<SomeProperty> some;    ///< at most 32
  std::uint32_t num_required = 0;
  std::uint64_t min = 0;
  std::uint64_t max = kNoLimit;
  std::map<std::vector<bool>, ConjId> unnamed_values;  ///< by the patterns that match
};

struct ArraySpec {
  std::vector<ConjId> prefix;
  ConjId rest = kAnything;
  std::uint64_t min = 0;
  std::uint64_t max = kNoLimit;
  std::vector<Contained> contained;
  /// Counts above it are not told apart.
  std::uint64_t cap = 0;
  bool is_unique = false;
  std::vector<std::string> domain;  ///< unique: all items, as JSON; empty: they are not compared

  ConjId item(std::uint64_t index) const {
    return index < prefix.size() ? prefix[static_cast<std::size_t>(index)] : rest;
  }
};

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
  explicit ShapeTable(Evaluator& evaluator) : evaluator_(evaluator) {}

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

 private:
  enum class Answer : std::uint8_t { kUnknown, kYes, kNo, kOpen, kGuess };
  enum class Purpose : std::uint8_t { kCheck, kUse };

  static constexpr int kMaxSearch = 24;  // schemas in each other

  Shape make_shape(ConjId conj);
  bool search(ConjId conj);
  bool make(const ObjectCase& one, ObjectSpec& spec, Purpose purpose);
  void collect_keys(const ObjectCase& one, ObjectSpec& spec);
  void collect_unnamed(const ObjectCase& one, ObjectSpec& spec);
  ConjId named_value(const ObjectCase& one, KeyId key);
  bool can_meet_some(ObjectSpec& spec);
  bool make(const ArrayCase& one, ArraySpec& spec, Purpose purpose);
  bool can_contain(const ArraySpec& spec, const Contained& contained);
  void find_domain(ArraySpec& spec);

  Evaluator& evaluator_;
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
