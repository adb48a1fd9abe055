#include "text/grammar/schema/object_members.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <tuple>
#include <utility>

#include "text/grammar/schema/shapes/object_completion.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxKeysLookedAhead = 256;

// Sets of conditions that one key may be in, small ones first: all sets if there are few, else single
// ones and the whole.
std::vector<std::uint32_t> sets_of_conditions(std::uint32_t open) {
  constexpr int kFew = 8;
  std::vector<std::uint32_t> sets;
  if (std::popcount(open) <= kFew) {
    for (std::uint32_t set = open; set != 0; set = (set - 1) & open) sets.push_back(set);
  } else {
    for (std::uint32_t rest = open; rest != 0; rest &= rest - 1) sets.push_back(rest & (0U - rest));
    sets.push_back(open);
  }
  std::stable_sort(sets.begin(), sets.end(), [](std::uint32_t a, std::uint32_t b) {
    return std::popcount(a) < std::popcount(b);
  });
  return sets;
}

}  // namespace

ObjectMembers::ObjectMembers(Evaluator& evaluator, ShapeTable& shapes, WordLists& lists)
    : evaluator_(evaluator),
      shapes_(shapes),
      lists_(lists),
      keys_(evaluator.pool(), shapes, lists) {}

std::uint32_t ObjectMembers::num_missing(const Frame& frame, const ObjectSpec& spec) const {
  std::uint32_t missing = 0;
  for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
    missing += spec.keys[i].is_required && !has_bit(lists_, frame.set, i) ? 1 : 0;
  }
  return missing;
}

bool ObjectMembers::can_close(const Frame& frame) const {
  const ObjectSpec& spec = shapes_.object(frame.spec);
  return frame.count >= spec.min && frame.bits == spec.all_some() && num_missing(frame, spec) == 0;
}

// Whether every place after this one can be completed.
bool ObjectMembers::is_free(const Frame& frame, const ObjectSpec& spec) {
  return spec.max == kNoLimit && spec.some.empty() && frame.count >= spec.min;
}

// Where in ObjectSpec::order the keys begin that may still come, if their order counts: behind the last
// declared key that came, and behind all of them once another one came.
std::uint32_t ObjectMembers::position(const Frame& frame, const ObjectSpec& spec) const {
  if (evaluator_.options().order == PropertyOrder::kAny) return 0;
  std::uint32_t position = spec.num_declared;
  if (has_bit(lists_, frame.set, static_cast<std::uint32_t>(spec.keys.size()))) return position;
  while (position > 0 && !has_bit(lists_, frame.set, spec.order[position - 1])) --position;
  return position;
}

// Named keys that the order allows next, as far as it counts: to the first one that must come.
std::vector<std::uint32_t> ObjectMembers::open_keys(const Frame& frame,
                                                    const ObjectSpec& spec) const {
  const bool is_ordered = evaluator_.options().order == PropertyOrder::kSchema;
  std::vector<std::uint32_t> keys;
  for (std::uint32_t i = position(frame, spec); i < spec.order.size(); ++i) {
    const std::uint32_t index = spec.order[i];
    if (has_bit(lists_, frame.set, index)) continue;
    if (spec.keys[index].is_offered) keys.push_back(index);
    if (is_ordered && spec.keys[index].is_required) break;
  }
  return keys;
}

// Whether members can follow that complete the object.
bool ObjectMembers::can_finish(const Frame& frame) {
  const ObjectSpec& spec = shapes_.object(frame.spec);
  if (is_free(frame, spec)) return true;
  const auto key = std::tuple(frame.spec, frame.count, frame.set, frame.bits);
  const auto known = can_finish_.find(key);
  if (known != can_finish_.end()) return known->second;
  ObjectPlace place{lists_[frame.set], frame.count, frame.bits, position(frame, spec)};
  const bool found = ObjectCompletion(evaluator_, shapes_, spec).can_finish(place);
  can_finish_.emplace(key, found);
  return found;
}

Re ObjectMembers::next_keys(const Frame& frame) {
  ObjectSpec& spec = shapes_.object(frame.spec);
  if (frame.count >= spec.max) {
    return kNothing;
  }
  std::vector<std::uint32_t> offered((spec.keys.size() + 31) / 32, 0);
  // Of very many keys only whether room is left for those that must come.
  const bool looks_ahead = !is_free(frame, spec) && spec.keys.size() <= kMaxKeysLookedAhead;
  const bool has_room = frame.count + num_missing(frame, spec) < spec.max;
  for (const std::uint32_t index : open_keys(frame, spec)) {
    const bool may_come = looks_ahead ? !after_key(frame, {true, index, {}}).empty()
                                      : has_room || spec.keys[index].is_required;
    offered[index / 32] |= may_come ? 1U << (index % 32) : 0U;
  }
  const std::uint32_t list = lists_.intern(std::move(offered)).first;
  return keys_.keys(frame.spec, list, open_unnamed(frame, spec));
}

// The keys beyond the named ones: all of them, or those that are in enough open conditions, if no
// room is left for others.
Re ObjectMembers::open_unnamed(const Frame& frame, ObjectSpec& spec) {
  const bool is_ordered = evaluator_.options().order == PropertyOrder::kSchema;
  if (spec.unnamed == kNothing || (is_ordered && num_missing(frame, spec) > 0)) return kNothing;
  Frame after = after_unnamed(frame, spec);
  if (can_finish(after)) return spec.unnamed;
  RegexPool& pool = evaluator_.pool();
  std::vector<Re> enough;
  std::vector<std::uint32_t> found;
  for (const std::uint32_t conditions : sets_of_conditions(spec.all_some() & ~frame.bits)) {
    const bool is_more = std::any_of(found.begin(), found.end(),
                                     [&](std::uint32_t less) { return (less & ~conditions) == 0; });
    after.bits = frame.bits | conditions;
    if (is_more || !can_finish(after)) continue;
    found.push_back(conditions);
    std::vector<Re> in_all{spec.unnamed};
    for (std::uint32_t i = 0; i < spec.some.size(); ++i) {
      if ((conditions & (1U << i)) != 0) in_all.push_back(spec.some[i].keys);
    }
    enough.push_back(pool.all_of(std::move(in_all)));
  }
  const Re keys = pool.any_of(std::move(enough));
  return pool.is_nothing(keys) ? kNothing : keys;
}

// Behind one more member, whose key no schema names and whose value meets no open condition.
Frame ObjectMembers::after_unnamed(const Frame& frame, const ObjectSpec& spec) {
  Frame next = frame;
  next.count += spec.max != kNoLimit || frame.count < spec.min ? 1 : 0;
  if (evaluator_.options().order == PropertyOrder::kSchema) {
    next.set = with_bit(lists_, frame.set, static_cast<std::uint32_t>(spec.keys.size()));
  }
  return next;
}

std::vector<Frame> ObjectMembers::after_key(const Frame& frame, const KeyClass& key) {
  ObjectSpec& spec = shapes_.object(frame.spec);
  Frame next = after_unnamed(frame, spec);
  ConjId value = kAnything;
  std::uint32_t some = 0;
  if (key.is_named) {
    const bool is_declared = spec.keys[key.index].position < spec.num_declared;
    next.set = with_bit(lists_, is_declared ? frame.set : next.set, key.index);
    value = spec.keys[key.index].value;
    some = spec.keys[key.index].some;
  } else {
    value = shapes_.unnamed_value(spec, key.matching);
    const std::size_t first = spec.patterns.size() - spec.some.size();
    for (std::size_t i = 0; i < spec.some.size(); ++i) {
      some |= key.matching[first + i] ? 1U << i : 0U;
    }
  }
  std::vector<Frame> frames;
  for (const auto& [conj, bits] :
       member_choices(evaluator_, shapes_, spec, value, some, frame.bits)) {
    next.value = conj;
    next.bits = bits;
    if (can_finish(next)) frames.push_back(next);
  }
  return frames;
}

}  // namespace vernal::grammar
