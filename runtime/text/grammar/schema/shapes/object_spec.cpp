#include "text/grammar/schema/shapes/object_spec.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/shapes/finite_texts.hpp"
#include "text/grammar/schema/shapes/object_completion.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxSome = 32;
constexpr std::size_t kMaxNamedTexts = 64;
constexpr KeyId kNoKey = 0xFFFFFFFFU;

}  // namespace

bool ObjectSpecMaker::make(const ObjectCase& one, ObjectSpec& spec) {
  return make(one, spec, Purpose::kUse);
}

bool ObjectSpecMaker::is_possible(const ObjectCase& one) {
  ObjectSpec spec;
  return make(one, spec, Purpose::kCheck);
}

// A check looks at no more than what an object must have.
bool ObjectSpecMaker::make(const ObjectCase& one, ObjectSpec& spec, Purpose purpose) {
  spec.min = one.min;
  spec.max = one.max;
  const std::size_t num_some = std::min(one.some.size(), kMaxSome);
  spec.some.assign(one.some.begin(), one.some.begin() + static_cast<std::ptrdiff_t>(num_some));
  collect_keys(one, spec);
  if (spec.min > spec.max || spec.num_required > spec.max) {
    return false;
  }
  const bool needs_all =
      purpose == Purpose::kUse || spec.min > spec.num_required || !spec.some.empty();
  for (KeySpec& key : spec.keys) {
    key.is_offered = (key.is_required || needs_all) && shapes_.is_possible(key.value);
    if (key.is_required && !key.is_offered) {
      return false;
    }
  }
  if (!needs_all) {
    return true;
  }
  collect_unnamed(one, spec);
  name_few(one, spec);
  if (!spec.some.empty() && !can_meet_some(spec)) {
    return false;
  }
  return ObjectCompletion(evaluator_, shapes_, spec).can_finish({});
}

ConjId ObjectSpecMaker::named_value(const ObjectCase& one, const std::u32string& text, KeyId key) {
  RegexPool& pool = evaluator_.pool();
  if (one.names != kAnyText && !pool.matches(one.names, text)) {
    return evaluator_.conj_of(kNoNode, true);
  }
  ConjId value = kAnything;
  for (const auto& group : one.groups) {
    bool is_named = false;
    for (const auto& [id, conj] : group->properties) {
      if (id == key) {
        value = evaluator_.both(value, conj);
        is_named = true;
      }
    }
    for (const auto& [re, conj] : group->patterns) {
      if (pool.matches(re, text)) {
        value = evaluator_.both(value, conj);
        is_named = true;
      }
    }
    if (!is_named && group->additional != kNoConj) {
      value = evaluator_.both(value, group->additional);
    }
  }
  return value;
}

void ObjectSpecMaker::collect_keys(const ObjectCase& one, ObjectSpec& spec) {
  std::map<KeyId, std::uint32_t> positions;
  for (const auto& group : one.groups) {
    for (const auto& property : group->properties) {
      positions.emplace(property.first, static_cast<std::uint32_t>(positions.size()));
    }
  }
  for (const KeyId key : one.required) {
    positions.emplace(key, static_cast<std::uint32_t>(positions.size()));
  }
  for (const auto& [key, position] : positions) {
    add_key(one, spec, evaluator_.key_text(key), key);
    KeySpec& made = spec.keys.back();
    made.is_required =
        std::find(one.required.begin(), one.required.end(), key) != one.required.end();
    made.position = position;
    spec.num_required += made.is_required ? 1 : 0;
  }
  spec.num_declared = static_cast<std::uint32_t>(spec.keys.size());
  sort_keys(spec);
}

void ObjectSpecMaker::add_key(const ObjectCase& one, ObjectSpec& spec, const std::u32string& text,
                              KeyId id) {
  KeySpec made;
  made.text = text;
  made.value = named_value(one, text, id);
  made.position = static_cast<std::uint32_t>(spec.keys.size());
  for (std::size_t i = 0; i < spec.some.size(); ++i) {
    made.some |= evaluator_.pool().matches(spec.some[i].keys, text) ? 1U << i : 0U;
  }
  spec.keys.push_back(std::move(made));
}

void ObjectSpecMaker::sort_keys(ObjectSpec& spec) {
  std::sort(spec.keys.begin(), spec.keys.end(),
            [](const KeySpec& a, const KeySpec& b) { return a.text < b.text; });
  spec.order.resize(spec.keys.size());
  for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
    spec.order[spec.keys[i].position] = i;
  }
}

// So no key comes twice, and it is known which are left.
void ObjectSpecMaker::name_few(const ObjectCase& one, ObjectSpec& spec) {
  std::vector<std::u32string> texts;
  if (spec.unnamed == kNothing || spec.unnamed == kAnyText ||
      !finite_texts(evaluator_.pool(), spec.unnamed, kMaxNamedTexts, texts)) {
    return;
  }
  std::sort(texts.begin(), texts.end());
  for (const std::u32string& text : texts) {
    add_key(one, spec, text, kNoKey);
    spec.keys.back().is_offered = shapes_.is_possible(spec.keys.back().value);
  }
  spec.unnamed = kNothing;
  sort_keys(spec);
}

void ObjectSpecMaker::collect_unnamed(const ObjectCase& one, ObjectSpec& spec) {
  RegexPool& pool = evaluator_.pool();
  const bool is_closed = evaluator_.options().additional == AdditionalProperties::kClosed &&
                         std::any_of(one.groups.begin(), one.groups.end(),
                                     [](const auto& group) { return group->is_closable; }) &&
                         std::none_of(one.groups.begin(), one.groups.end(), [](const auto& group) {
                           return group->additional != kNoConj;
                         });
  std::vector<Re> conditions{one.names};
  std::vector<Re> every_pattern;
  for (std::uint32_t i = 0; i < one.groups.size(); ++i) {
    const ObjectGroup& group = *one.groups[i];
    std::vector<Re> spared;
    for (const auto& [re, value] : group.patterns) {
      spec.patterns.push_back({re, value, i});
      spared.push_back(re);
      every_pattern.push_back(re);
      if (!shapes_.is_possible(value)) {
        conditions.push_back(pool.complement(re));
      }
    }
    spec.additional.push_back(group.additional == kNoConj ? kAnything : group.additional);
    if (!shapes_.is_possible(spec.additional.back())) {
      conditions.push_back(pool.any_of(std::move(spared)));
    }
  }
  if (is_closed) {
    conditions.push_back(pool.any_of(std::move(every_pattern)));
  }
  for (const SomeProperty& some : spec.some) {
    spec.patterns.push_back({some.keys, some.value, 0});
  }
  spec.unnamed = pool.all_of(std::move(conditions));
  // A small language may be used up by the named keys.
  if (spec.unnamed != kAnyText && spec.unnamed != kNothing) {
    std::vector<std::u32string> named;
    for (const KeySpec& key : spec.keys) {
      if (pool.matches(spec.unnamed, key.text)) {
        named.push_back(key.text);
      }
    }
    if (!named.empty()) {
      spec.unnamed = pool.all_of(spec.unnamed, pool.complement(pool.literals(std::move(named))));
    }
  }
  spec.unnamed = pool.is_nothing(spec.unnamed) ? kNothing : spec.unnamed;
}

ConjId ObjectSpecMaker::unnamed_value(ObjectSpec& spec, const std::vector<bool>& matching) {
  const auto known = spec.unnamed_values.find(matching);
  if (known != spec.unnamed_values.end()) {
    return known->second;
  }
  ConjId value = kAnything;
  std::vector<bool> is_spared(spec.additional.size(), false);
  for (std::size_t i = 0; i + spec.some.size() < spec.patterns.size(); ++i) {
    if (matching[i]) {
      value = evaluator_.both(value, spec.patterns[i].value);
      is_spared[spec.patterns[i].group] = true;
    }
  }
  for (std::size_t i = 0; i < spec.additional.size(); ++i) {
    value = is_spared[i] ? value : evaluator_.both(value, spec.additional[i]);
  }
  spec.unnamed_values.emplace(matching, value);
  return value;
}

bool ObjectSpecMaker::can_meet_some(ObjectSpec& spec) {
  RegexPool& pool = evaluator_.pool();
  for (std::size_t i = 0; i < spec.some.size(); ++i) {
    const SomeProperty& some = spec.some[i];
    bool found = false;
    for (const KeySpec& key : spec.keys) {
      const bool is_in = (key.some & (1U << i)) != 0;
      found = found || (is_in && key.is_offered &&
                        shapes_.is_possible(evaluator_.both(key.value, some.value)));
    }
    const Re unnamed = pool.all_of(spec.unnamed, some.keys);
    if (!found && pool.is_nothing(unnamed)) {
      return false;
    }
    if (!found) {
      // Every such key matches these patterns, and without patterns it has one schema.
      ConjId value = some.value;
      for (std::size_t p = 0; p + spec.some.size() < spec.patterns.size(); ++p) {
        const Re beyond = pool.all_of(unnamed, pool.complement(spec.patterns[p].re));
        value = pool.is_nothing(beyond) ? evaluator_.both(value, spec.patterns[p].value) : value;
      }
      if (spec.patterns.size() == spec.some.size()) {
        const std::vector<bool> none(spec.patterns.size(), false);
        value = evaluator_.both(value, unnamed_value(spec, none));
      }
      found = shapes_.is_possible(value);
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

}  // namespace vernal::grammar
