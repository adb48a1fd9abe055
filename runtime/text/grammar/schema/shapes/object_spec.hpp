// Objects in the form that an automaton walks through.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "text/grammar/regex/pool.hpp"
#include "text/grammar/schema/values.hpp"

namespace vernal::grammar {

class Evaluator;
class ShapeTable;

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

/// Objects of one case. Keys are sorted by text. If the keys that no schema names are few, they are
/// among `keys` too, behind the others in `order`: they come in any order, and each once.
struct ObjectSpec {
  std::vector<KeySpec> keys;
  std::vector<std::uint32_t> order;  ///< positions in `keys`, as in the schema
  std::uint32_t num_declared = 0;    ///< that the schema names: the first ones of `order`
  Re unnamed = kNothing;             ///< keys beyond `keys` that may be used
  std::vector<KeyPattern> patterns;  ///< those of `some` come last
  std::vector<ConjId> additional;    ///< by group
  std::vector<SomeProperty> some;    ///< at most 32
  std::uint32_t num_required = 0;
  std::uint64_t min = 0;
  std::uint64_t max = kNoLimit;
  std::map<std::vector<bool>, ConjId> unnamed_values;  ///< by the patterns that match

  /// A bit for each of `some`.
  std::uint32_t all_some() const {
    return static_cast<std::uint32_t>((std::uint64_t{1} << some.size()) - 1);
  }
};

/// Makes specs of cases: which keys may come, and which values each may have.
/// Thread   one
class ObjectSpecMaker {
 public:
  /// Both must outlive it. `shapes` is asked which values are possible.
  ObjectSpecMaker(Evaluator& evaluator, ShapeTable& shapes)
      : evaluator_(evaluator), shapes_(shapes) {}

  /// False if no object fits.
  bool make(const ObjectCase& one, ObjectSpec& spec);
  /// Whether some object fits. It looks at no more than what an object must have.
  bool is_possible(const ObjectCase& one);
  /// The value of a key that no schema names, by the patterns that match it.
  ConjId unnamed_value(ObjectSpec& spec, const std::vector<bool>& matching);

 private:
  enum class Purpose : std::uint8_t { kCheck, kUse };

  bool make(const ObjectCase& one, ObjectSpec& spec, Purpose purpose);
  void collect_keys(const ObjectCase& one, ObjectSpec& spec);
  void add_key(const ObjectCase& one, ObjectSpec& spec, const std::u32string& text, KeyId id);
  void sort_keys(ObjectSpec& spec);
  void collect_unnamed(const ObjectCase& one, ObjectSpec& spec);
  void name_few(const ObjectCase& one, ObjectSpec& spec);
  ConjId named_value(const ObjectCase& one, const std::u32string& text, KeyId id);
  bool can_meet_some(ObjectSpec& spec);

  Evaluator& evaluator_;
  ShapeTable& shapes_;
};

}  // namespace vernal::grammar
