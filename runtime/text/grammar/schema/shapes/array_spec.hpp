// Arrays in the form that an automaton walks through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/grammar/schema/values.hpp"

namespace vernal::grammar {

class Evaluator;
class ShapeTable;

/// Arrays of one case.
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

/// Makes specs of cases: how many items may come, and which values each may have.
/// Thread   one
class ArraySpecMaker {
 public:
  /// Both must outlive it. `shapes` is asked which values are possible.
  ArraySpecMaker(Evaluator& evaluator, ShapeTable& shapes)
      : evaluator_(evaluator), shapes_(shapes) {}

  /// False if no array fits.
  bool make(const ArrayCase& one, ArraySpec& spec);
  /// Whether some array fits. It looks at no more than what an array must have.
  bool is_possible(const ArrayCase& one);
  /// Whether items can follow that meet what is still to be contained.
  ///   count   items so far, up to ArraySpec::cap
  ///   counts  of them, those that were counted for each of `contained`; missing ones are 0
  bool can_meet_contained(const ArraySpec& spec, std::uint64_t count,
                          const std::vector<std::uint32_t>& counts);

 private:
  enum class Purpose : std::uint8_t { kCheck, kUse };

  bool make(const ArrayCase& one, ArraySpec& spec, Purpose purpose);
  std::uint64_t num_places(const ArraySpec& spec, std::uint64_t first, ConjId value,
                           std::uint64_t wanted);
  void find_domain(ArraySpec& spec);

  Evaluator& evaluator_;
  ShapeTable& shapes_;
};

}  // namespace vernal::grammar
