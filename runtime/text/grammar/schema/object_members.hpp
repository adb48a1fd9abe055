// Objects, member by member.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "text/grammar/automaton/frame.hpp"
#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/key_language.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"
#include "text/grammar/schema/word_lists.hpp"

namespace vernal::grammar {

/// Follows an object from member to member. A place in it is a frame with `spec`, the ObjectSpec;
/// `count`, its members if their number matters; `set`, the bits of the keys that came, and the
/// next bit if undeclared ones came and the order counts; `bits`, the conditions of ObjectSpec::some that
/// are met.
/// Thread   one
class ObjectMembers {
 public:
  /// All must outlive it.
  ObjectMembers(Evaluator& evaluator, ShapeTable& shapes, WordLists& lists);

  /// The language of the keys that may come next; kNothing if there are none.
  Re next_keys(const Frame& frame);
  bool can_close(const Frame& frame) const;
  /// The places after a key, each with the conjunction of its value in `value`. They have the kind
  /// of `frame`. None from which the object cannot be completed.
  std::vector<Frame> after_key(const Frame& frame, const KeyClass& key);

  KeyLanguage& keys() noexcept { return keys_; }

 private:
  std::uint32_t num_missing(const Frame& frame, const ObjectSpec& spec) const;
  std::uint32_t position(const Frame& frame, const ObjectSpec& spec) const;
  std::vector<std::uint32_t> open_keys(const Frame& frame, const ObjectSpec& spec) const;
  Re open_unnamed(const Frame& frame, ObjectSpec& spec);
  Frame after_unnamed(const Frame& frame, const ObjectSpec& spec);
  static bool is_free(const Frame& frame, const ObjectSpec& spec);
  bool can_finish(const Frame& frame);

  Evaluator& evaluator_;
  ShapeTable& shapes_;
  WordLists& lists_;
  KeyLanguage keys_;
  using Place = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<Place, bool> can_finish_;  // by spec, count, set and bits of a frame
};

}  // namespace vernal::grammar
