#include "text/grammar/schema/key_language.hpp"

#include <algorithm>

namespace vernal::grammar {

KeyLanguage::KeyLanguage(RegexPool& pool, ShapeTable& shapes, WordLists& lists)
    : pool_(pool), shapes_(shapes), lists_(lists), language_(pool.add_language(*this)) {}

Re KeyLanguage::keys(std::uint32_t object, std::uint32_t offered, Re unnamed) {
  const ObjectSpec& spec = shapes_.object(object);
  State state(kNumFields);
  state[kSpec] = object;
  state[kOffered] = offered;
  state[kLast] = static_cast<std::uint32_t>(spec.keys.size());
  state[kUnnamed] = unnamed;
  for (const KeyPattern& pattern : spec.patterns) {
    state.push_back(pattern.re);
  }
  if (!lives(state)) {
    return kNothing;
  }
  return pool_.leaf(language_, intern(std::move(state)));
}

bool KeyLanguage::is_offered(const State& state, std::uint32_t index) const {
  return has_bit(lists_, state[kOffered], index);
}

bool KeyLanguage::lives(const State& state) const {
  if (state[kUnnamed] != kNothing) {
    return true;
  }
  if (state[kFreely] != 0) {
    return false;
  }
  for (std::uint32_t i = state[kFirst]; i < state[kLast]; ++i) {
    if (is_offered(state, i)) {
      return true;
    }
  }
  return false;
}

// Brings a state into one form, and finds out whether it accepts before the pool asks.
std::uint32_t KeyLanguage::intern(State state) {
  if (state[kUnnamed] == kNothing) {
    std::fill(state.begin() + kNumFields, state.end(), kNothing);
  }
  if (state[kFirst] == state[kLast]) {
    state[kFirst] = state[kLast] = state[kDepth] = state[kOffered] = state[kFreely] = 0;
  }
  const bool accepts = find_accepts(state);
  const auto [id, is_new] = states_.intern(std::move(state));
  if (is_new) {
    accepts_.push_back(accepts);
  }
  return id;
}

bool KeyLanguage::find_accepts(const State& state) {
  ObjectSpec& spec = shapes_.object(state[kSpec]);
  const std::uint32_t first = state[kFirst];
  if (first < state[kLast] && spec.keys[first].text.size() == state[kDepth]) {
    return state[kFreely] == 0 && is_offered(state, first);
  }
  if (!pool_.is_nullable(state[kUnnamed])) {
    return false;
  }
  std::vector<bool> matching;
  for (std::size_t i = kNumFields; i < state.size(); ++i) {
    matching.push_back(pool_.is_nullable(state[i]));
  }
  return shapes_.is_possible(shapes_.unnamed_value(spec, matching));
}

KeyClass KeyLanguage::classify(Re key) const {
  const State& state = states_[pool_.leaf_state(key)];
  KeyClass result;
  const std::uint32_t first = state[kFirst];
  if (first < state[kLast] && spec(state).keys[first].text.size() == state[kDepth]) {
    result.is_named = true;
    result.index = first;
    return result;
  }
  for (std::size_t i = kNumFields; i < state.size(); ++i) {
    result.matching.push_back(pool_.is_nullable(state[i]));
  }
  return result;
}

bool KeyLanguage::is_open(Re key) const {
  return states_[pool_.leaf_state(key)][kUnnamed] == kAnyText;
}

bool KeyLanguage::has_unnamed(Re key) const {
  return states_[pool_.leaf_state(key)][kUnnamed] != kNothing;
}

bool KeyLanguage::is_only_unnamed(Re key) const {
  const State& state = states_[pool_.leaf_state(key)];
  return state[kFirst] == state[kLast] && state.size() == kNumFields;
}

void KeyLanguage::borders(std::uint32_t id, std::vector<std::uint32_t>& out) const {
  const State& state = states_[id];
  const ObjectSpec& object = spec(state);
  for (std::uint32_t i = state[kFirst]; i < state[kLast]; ++i) {
    const std::u32string& text = object.keys[i].text;
    if (text.size() > state[kDepth]) {
      out.push_back(text[state[kDepth]]);
      out.push_back(text[state[kDepth]] + 1U);
    }
  }
  for (std::size_t i = kUnnamed; i < state.size(); ++i) {
    for (const RegexStep& step : pool_.steps(state[i])) {
      out.push_back(step.last + 1);
    }
  }
}

bool KeyLanguage::next(std::uint32_t id, std::uint32_t code_point, std::uint32_t& out) {
  State state = states_[id];
  const std::vector<KeySpec>& keys = spec(state).keys;
  const std::size_t depth = state[kDepth];
  const auto letter = [&](const KeySpec& key) {
    return key.text.size() > depth ? static_cast<std::int64_t>(key.text[depth]) : -1;
  };
  const auto begin = keys.begin() + state[kFirst];
  const auto end = keys.begin() + state[kLast];
  const auto wanted = static_cast<std::int64_t>(code_point);
  const auto first =
      std::lower_bound(begin, end, wanted,
                       [&](const KeySpec& key, std::int64_t value) { return letter(key) < value; });
  const auto last =
      std::upper_bound(first, end, wanted,
                       [&](std::int64_t value, const KeySpec& key) { return value < letter(key); });
  state[kFirst] = static_cast<std::uint32_t>(first - keys.begin());
  state[kLast] = static_cast<std::uint32_t>(last - keys.begin());
  ++state[kDepth];
  for (std::size_t i = kUnnamed; i < state.size(); ++i) {
    state[i] = pool_.next(state[i], code_point);
  }
  if (!lives(state)) {
    return false;
  }
  out = intern(std::move(state));
  return true;
}

Re KeyLanguage::spelled_freely(Re key) {
  State state = states_[pool_.leaf_state(key)];
  state[kFreely] = 1;
  return lives(state) ? pool_.leaf(language_, intern(std::move(state))) : kNothing;
}

}  // namespace vernal::grammar
