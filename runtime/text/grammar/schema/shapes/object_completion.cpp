#include "text/grammar/schema/shapes/object_completion.hpp"

#include <algorithm>
#include <bit>

#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxChoices = 64;
constexpr std::size_t kMaxPlaces = 2'000;  // that a search looks at, one inside another at worst

}  // namespace

std::vector<MemberChoice> member_choices(Evaluator& evaluator, ShapeTable& shapes,
                                         const ObjectSpec& spec, ConjId value, std::uint32_t some,
                                         std::uint32_t bits) {
  std::vector<MemberChoice> choices{{value, bits}};
  for (std::uint32_t i = 0; i < spec.some.size() && choices.size() <= kMaxChoices; ++i) {
    if ((some & ~bits & (1U << i)) == 0) continue;
    const std::size_t count = choices.size();
    for (std::size_t c = 0; c < count; ++c) {
      choices.emplace_back(evaluator.both(choices[c].first, spec.some[i].value),
                           choices[c].second | (1U << i));
    }
  }
  std::erase_if(choices,
                [&](const MemberChoice& choice) { return !shapes.is_possible(choice.first); });
  return choices;
}

bool ObjectCompletion::is_used(std::uint32_t key) const {
  return key / 32 < place_->used.size() && (place_->used[key / 32] >> (key % 32) & 1U) != 0;
}

bool ObjectCompletion::can_finish(const ObjectPlace& place) {
  place_ = &place;
  if (place.bits == spec_.all_some()) return has_room_for_rest(place);
  known_.clear();
  num_places_ = 0;
  return search(place.position, place.count, place.bits);
}

// Without conditions it is a matter of numbers.
bool ObjectCompletion::has_room_for_rest(const ObjectPlace& place) const {
  std::uint64_t missing = 0;
  std::uint64_t available = 0;
  for (std::uint32_t i = 0; i < spec_.order.size(); ++i) {
    const KeySpec& key = spec_.keys[spec_.order[i]];
    if (is_used(spec_.order[i])) continue;
    if (i < place.position) {
      if (key.is_required) return false;
      continue;
    }
    missing += key.is_required ? 1 : 0;
    available += key.is_offered ? 1 : 0;
  }
  const bool is_enough = place.count + available >= spec_.min || spec_.unnamed != kNothing;
  return is_enough && place.count + missing <= spec_.max;
}

// Key by key in one order: which of them come decides, not when.
bool ObjectCompletion::search(std::uint32_t position, std::uint64_t count, std::uint32_t bits) {
  if (count > spec_.max) return false;
  if (++num_places_ > kMaxPlaces) return true;
  if (position == spec_.order.size()) return can_end_with_unnamed(count, bits);
  const auto place = std::tuple(position, count, bits);
  const auto known = known_.find(place);
  if (known != known_.end()) return known->second;
  const bool found = try_key(position, count, bits);
  known_[place] = found;
  return found;
}

bool ObjectCompletion::try_key(std::uint32_t position, std::uint64_t count, std::uint32_t bits) {
  const std::uint32_t index = spec_.order[position];
  const KeySpec& key = spec_.keys[index];
  if (is_used(index)) return search(position + 1, count, bits);
  const bool is_of_use = (key.some & ~bits) != 0 || count < spec_.min;
  if (key.is_offered && (key.is_required || is_of_use)) {
    for (const MemberChoice& choice :
         member_choices(evaluator_, shapes_, spec_, key.value, key.some, bits)) {
      if (search(position + 1, count + 1, choice.second)) return true;
    }
  }
  return !key.is_required && search(position + 1, count, bits);
}

// One more key for all open conditions if there is one that is in all of them, else one for each.
bool ObjectCompletion::can_end_with_unnamed(std::uint64_t count, std::uint32_t bits) {
  const std::uint32_t open = spec_.all_some() & ~bits;
  if (open == 0 && count >= spec_.min) return true;
  if (spec_.unnamed == kNothing) return false;
  RegexPool& pool = evaluator_.pool();
  std::vector<Re> in_all{spec_.unnamed};
  for (std::uint32_t i = 0; i < spec_.some.size(); ++i) {
    if ((open & (1U << i)) == 0) continue;
    if (pool.is_nothing(pool.all_of(spec_.unnamed, spec_.some[i].keys))) return false;
    in_all.push_back(spec_.some[i].keys);
  }
  const bool has_one_for_all = open == 0 || !pool.is_nothing(pool.all_of(std::move(in_all)));
  const std::uint64_t needed = open == 0         ? 0
                               : has_one_for_all ? 1
                                                 : static_cast<std::uint64_t>(std::popcount(open));
  return std::max(count + needed, spec_.min) <= spec_.max;
}

}  // namespace vernal::grammar
