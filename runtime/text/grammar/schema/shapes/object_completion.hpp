// Whether an object that has begun can still become one that fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "text/grammar/schema/shapes/object_spec.hpp"

namespace vernal::grammar {

/// How far an object has come.
struct ObjectPlace {
  std::vector<std::uint32_t> used;  ///< bits of the keys that came, by ObjectSpec::keys
  std::uint64_t count = 0;          ///< members; above ObjectSpec::min they may be left uncounted
  std::uint32_t bits = 0;           ///< conditions of ObjectSpec::some that are met
  std::uint32_t position = 0;       ///< in ObjectSpec::order: keys before it come no more
};

/// A value that a member may have, and the conditions of ObjectSpec::some that are met with it.
using MemberChoice = std::pair<ConjId, std::uint32_t>;

/// The choices for a member: its value meets conditions that some property must meet, or leaves
/// them to others. Only those that some value fits.
///   value  of the key, whatever it meets
///   some   conditions that the key is in
///   bits   those that are met before it
std::vector<MemberChoice> member_choices(Evaluator& evaluator, ShapeTable& shapes,
                                         const ObjectSpec& spec, ConjId value, std::uint32_t some,
                                         std::uint32_t bits);

/// Looks for members that complete an object: keys that are required, as many as the least number,
/// and values for all conditions of ObjectSpec::some, within the greatest number. The search is
/// exact for keys that are named. Beyond its budget the answer is yes.
/// Thread   one
class ObjectCompletion {
 public:
  /// All must outlive it.
  ObjectCompletion(Evaluator& evaluator, ShapeTable& shapes, const ObjectSpec& spec)
      : evaluator_(evaluator), shapes_(shapes), spec_(spec) {}

  bool can_finish(const ObjectPlace& place);

 private:
  bool has_room_for_rest(const ObjectPlace& place) const;
  bool search(std::uint32_t position, std::uint64_t count, std::uint32_t bits);
  bool try_key(std::uint32_t position, std::uint64_t count, std::uint32_t bits);
  bool can_end_with_unnamed(std::uint64_t count, std::uint32_t bits);
  bool is_used(std::uint32_t key) const;

  Evaluator& evaluator_;
  ShapeTable& shapes_;
  const ObjectSpec& spec_;
  const ObjectPlace* place_ = nullptr;
  std::size_t num_places_ = 0;  // that the search has looked at
  std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>, bool> known_;
};

}  // namespace vernal::grammar
