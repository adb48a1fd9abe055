#include "text/grammar/schema/object_members.hpp"

#include <cstddef>
#include <utility>

namespace vernal::grammar {

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
  const auto all_some = static_cast<std::uint32_t>((std::uint64_t{1} << spec.some.size()) - 1);
  return frame.count >= spec.min && frame.bits == all_some && num_missing(frame, spec) == 0;
}

Re ObjectMembers::next_keys(const Frame& frame) {
  const ObjectSpec& spec = shapes_.object(frame.spec);
  if (frame.count >= spec.max) {
    return kNothing;
  }
  const std::uint32_t missing = num_missing(frame, spec);
  const bool only_required = spec.max != kNoLimit && spec.max - frame.count <= missing;
  std::vector<std::uint32_t> offered((spec.keys.size() + 31) / 32, 0);
  const auto offer = [&](std::uint32_t index) {
    const KeySpec& key = spec.keys[index];
    if (key.is_offered && !has_bit(lists_, frame.set, index) &&
        (key.is_required || !only_required)) {
      offered[index / 32] |= 1U << (index % 32);
    }
  };
  bool has_unnamed = !only_required;
  if (evaluator_.options().order == PropertyOrder::kAny) {
    for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
      offer(i);
    }
  } else {
    // From the last key that was used to the first one that must come.
    const auto num_keys = static_cast<std::uint32_t>(spec.keys.size());
    std::uint32_t position = num_keys;
    while (position > 0 && !has_bit(lists_, frame.set, spec.order[position - 1])) {
      --position;
    }
    if (has_bit(lists_, frame.set, num_keys)) {  // unnamed keys came
      position = num_keys;
    }
    for (; position < num_keys; ++position) {
      offer(spec.order[position]);
      if (spec.keys[spec.order[position]].is_required) {
        break;
      }
    }
    has_unnamed = has_unnamed && missing == 0;
  }
  return keys_.keys(frame.spec, lists_.intern(std::move(offered)).first, has_unnamed);
}

std::vector<Frame> ObjectMembers::after_key(const Frame& frame, const KeyClass& key) {
  ObjectSpec& spec = shapes_.object(frame.spec);
  Frame next = frame;
  const bool counts = spec.max != kNoLimit || frame.count < spec.min;
  next.count += counts ? 1 : 0;
  ConjId conj = kAnything;
  std::uint32_t some = 0;
  if (key.is_named) {
    next.set = with_bit(lists_, frame.set, key.index);
    conj = spec.keys[key.index].value;
    some = spec.keys[key.index].some;
  } else {
    conj = shapes_.unnamed_value(spec, key.matching);
    const std::size_t first = spec.patterns.size() - spec.some.size();
    for (std::size_t i = 0; i < spec.some.size(); ++i) {
      some |= key.matching[first + i] ? 1U << i : 0U;
    }
    if (evaluator_.options().order == PropertyOrder::kSchema) {
      next.set = with_bit(lists_, frame.set, static_cast<std::uint32_t>(spec.keys.size()));
    }
  }
  // Either the value meets a condition that some property must meet, or another one will.
  std::vector<std::pair<ConjId, std::uint32_t>> choices{{conj, frame.bits}};
  for (std::uint32_t i = 0; i < spec.some.size() && choices.size() <= 64; ++i) {
    if ((some & ~frame.bits & (1U << i)) != 0) {
      const std::size_t count = choices.size();
      for (std::size_t c = 0; c < count; ++c) {
        choices.emplace_back(evaluator_.both(choices[c].first, spec.some[i].value),
                             choices[c].second | (1U << i));
      }
    }
  }
  std::vector<Frame> frames;
  for (const auto& [value, bits] : choices) {
    if (shapes_.is_possible(value)) {
      next.value = value;
      next.bits = bits;
      frames.push_back(next);
    }
  }
  return frames;
}

}  // namespace vernal::grammar
