#include "text/grammar/schema/shapes.hpp"

#include <algorithm>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/finite_texts.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxSome = 32;
constexpr std::size_t kMaxDomain = 200;

}  // namespace

const Shape& ShapeTable::shape(ConjId conj) {
  const auto known = shapes_.find(conj);
  if (known != shapes_.end()) {
    return *known->second;
  }
  auto made = std::make_unique<Shape>(make_shape(conj));
  return *shapes_.emplace(conj, std::move(made)).first->second;
}

Shape ShapeTable::make_shape(ConjId conj) {
  const Values values = evaluator_.values_of_all(conj);
  RegexPool& pool = evaluator_.pool();
  Shape shape;
  shape.words = values.words;
  shape.numbers = pool.is_nothing(values.numbers) ? kNothing : values.numbers;
  shape.strings = pool.is_nothing(values.strings.re) ? kNothing : values.strings.re;
  shape.are_literals = values.strings.texts != nullptr;
  for (const ArrayCase& one : values.arrays) {
    auto spec = std::make_unique<ArraySpec>();
    if (make(one, *spec, Purpose::kUse)) {
      shape.arrays.push_back(static_cast<std::uint32_t>(arrays_.size()));
      arrays_.push_back(std::move(spec));
    }
  }
  for (const ObjectCase& one : values.objects) {
    auto spec = std::make_unique<ObjectSpec>();
    if (make(one, *spec, Purpose::kUse)) {
      shape.objects.push_back(static_cast<std::uint32_t>(objects_.size()));
      objects_.push_back(std::move(spec));
    }
  }
  return shape;
}

bool ShapeTable::is_possible(ConjId conj) {
  if (conj == kAnything) {
    return true;
  }
  Answer& answer = answers_[conj];
  if (answer == Answer::kOpen) {
    is_guessed_no_ = true;
    return false;  // no value of finite depth needs itself
  }
  if (answer != Answer::kUnknown) {
    is_guessed_yes_ = is_guessed_yes_ || answer == Answer::kGuess;
    return answer != Answer::kNo;
  }
  if (depth_ >= kMaxSearch) {
    is_guessed_yes_ = true;
    return true;
  }
  const bool outer_no = std::exchange(is_guessed_no_, false);
  const bool outer_yes = std::exchange(is_guessed_yes_, false);
  answer = Answer::kOpen;
  ++depth_;
  const bool found = search(conj);
  --depth_;
  // A guess of "no" can only hide a value, a guess of "yes" can only invent one.
  if (found) {
    answer = is_guessed_yes_ ? Answer::kGuess : Answer::kYes;
  } else {
    answer = is_guessed_no_ ? Answer::kUnknown : Answer::kNo;
  }
  if (answer == Answer::kGuess) {
    guesses_.push_back(conj);
  }
  if (depth_ == 0) {
    for (const ConjId guess : guesses_) {
      answers_[guess] = Answer::kUnknown;
    }
    guesses_.clear();
  }
  is_guessed_no_ = is_guessed_no_ || outer_no;
  is_guessed_yes_ = is_guessed_yes_ || outer_yes;
  return found;
}

bool ShapeTable::search(ConjId conj) {
  try {
    const Values values = evaluator_.values_of_all(conj);
    RegexPool& pool = evaluator_.pool();
    return values.words != 0 || !pool.is_nothing(values.numbers) ||
           !pool.is_nothing(values.strings.re) ||
           std::any_of(values.arrays.begin(), values.arrays.end(),
                       [&](const ArrayCase& one) { return is_possible(one); }) ||
           std::any_of(values.objects.begin(), values.objects.end(),
                       [&](const ObjectCase& one) { return is_possible(one); });
  } catch (const SearchBlocked&) {
    is_guessed_yes_ = true;
  } catch (const RegexLimit&) {
    is_guessed_yes_ = true;
  }
  return true;
}

bool ShapeTable::is_possible(const ObjectCase& one) {
  if (work_left_ == 0) {
    is_guessed_yes_ = true;
    return true;
  }
  --work_left_;
  ObjectSpec spec;
  return make(one, spec, Purpose::kCheck);
}

bool ShapeTable::is_possible(const ArrayCase& one) {
  if (work_left_ == 0) {
    is_guessed_yes_ = true;
    return true;
  }
  --work_left_;
  ArraySpec spec;
  return make(one, spec, Purpose::kCheck);
}

ConjId ShapeTable::named_value(const ObjectCase& one, KeyId key) {
  RegexPool& pool = evaluator_.pool();
  const std::u32string& text = evaluator_.key_text(key);
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

void ShapeTable::collect_keys(const ObjectCase& one, ObjectSpec& spec) {
  std::map<KeyId, std::uint32_t> positions;
  for (const auto& group : one.groups) {
    for (const auto& property : group->properties) {
      positions.emplace(property.first, static_cast<std::uint32_t>(positions.size()));
    }
  }
  for (const KeyId key : one.required) {
    positions.emplace(key, static_cast<std::uint32_t>(positions.size()));
  }
  RegexPool& pool = evaluator_.pool();
  for (const auto& [key, position] : positions) {
    KeySpec made;
    made.text = evaluator_.key_text(key);
    made.value = named_value(one, key);
    made.is_required =
        std::find(one.required.begin(), one.required.end(), key) != one.required.end();
    made.position = position;
    for (std::size_t i = 0; i < spec.some.size(); ++i) {
      made.some |= pool.matches(spec.some[i].keys, made.text) ? 1U << i : 0U;
    }
    spec.num_required += made.is_required ? 1 : 0;
    spec.keys.push_back(std::move(made));
  }
  std::sort(spec.keys.begin(), spec.keys.end(),
            [](const KeySpec& a, const KeySpec& b) { return a.text < b.text; });
  spec.order.resize(spec.keys.size());
  for (std::uint32_t i = 0; i < spec.keys.size(); ++i) {
    spec.order[spec.keys[i].position] = i;
  }
}

void ShapeTable::collect_unnamed(const ObjectCase& one, ObjectSpec& spec) {
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
      if (!is_possible(value)) {
        conditions.push_back(pool.complement(re));
      }
    }
    spec.additional.push_back(group.additional == kNoConj ? kAnything : group.additional);
    if (!is_possible(spec.additional.back())) {
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

ConjId ShapeTable::unnamed_value(ObjectSpec& spec, const std::vector<bool>& matching) {
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

// False if no object fits. A check looks at no more than what an object must have.
bool ShapeTable::make(const ObjectCase& one, ObjectSpec& spec, Purpose purpose) {
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
  std::uint64_t num_offered = 0;
  for (KeySpec& key : spec.keys) {
    key.is_offered = (key.is_required || needs_all) && is_possible(key.value);
    if (key.is_required && !key.is_offered) {
      return false;
    }
    num_offered += key.is_offered ? 1 : 0;
  }
  if (!needs_all) {
    return true;
  }
  collect_unnamed(one, spec);
  if (spec.unnamed == kNothing && num_offered < spec.min) {
    return false;
  }
  return spec.some.empty() || can_meet_some(spec);
}

bool ShapeTable::can_meet_some(ObjectSpec& spec) {
  RegexPool& pool = evaluator_.pool();
  for (std::size_t i = 0; i < spec.some.size(); ++i) {
    const SomeProperty& some = spec.some[i];
    bool found = false;
    for (const KeySpec& key : spec.keys) {
      const bool is_in = (key.some & (1U << i)) != 0;
      found =
          found || (is_in && key.is_offered && is_possible(evaluator_.both(key.value, some.value)));
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
      found = is_possible(value);
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

bool ShapeTable::make(const ArrayCase& one, ArraySpec& spec, Purpose purpose) {
  spec.min = one.min;
  spec.max = one.max;
  spec.contained = one.contained;
  spec.is_unique = one.is_unique;
  std::size_t length = 0;
  for (const auto& group : one.groups) {
    length = std::max(length, group->prefix.size());
    spec.rest = evaluator_.both(spec.rest, group->rest);
  }
  for (std::size_t i = 0; i < length; ++i) {
    ConjId item = kAnything;
    for (const auto& group : one.groups) {
      item = evaluator_.both(item, i < group->prefix.size() ? group->prefix[i] : group->rest);
    }
    spec.prefix.push_back(item);
  }
  for (const Contained& contained : spec.contained) {
    spec.min = std::max(spec.min, contained.min == 0 ? 0 : contained.from + contained.min);
  }
  if (spec.min > spec.max) {
    return false;
  }
  // An item that cannot be ends the array before it.
  const std::uint64_t looked_at = purpose == Purpose::kUse ? spec.max : spec.min;
  for (std::size_t i = 0; i < spec.prefix.size() && i < std::min(spec.max, looked_at); ++i) {
    if (!is_possible(spec.prefix[i])) {
      spec.max = i;
    }
  }
  if (std::min(spec.max, looked_at) > spec.prefix.size() && !is_possible(spec.rest)) {
    spec.max = std::min<std::uint64_t>(spec.max, spec.prefix.size());
  }
  spec.prefix.resize(
      static_cast<std::size_t>(std::min<std::uint64_t>(spec.prefix.size(), spec.max)));
  if (spec.is_unique) {
    find_domain(spec);
  }
  if (spec.min > spec.max) {
    return false;
  }
  spec.cap = std::max<std::uint64_t>(spec.prefix.size(), spec.min);
  spec.cap = spec.max == kNoLimit ? spec.cap : std::max(spec.cap, spec.max);
  for (const Contained& contained : spec.contained) {
    spec.cap = std::max(spec.cap, contained.from);
    if (contained.min > contained.max || (contained.min > 0 && !can_contain(spec, contained))) {
      return false;
    }
  }
  return true;
}

bool ShapeTable::can_contain(const ArraySpec& spec, const Contained& contained) {
  const std::uint64_t end = std::min<std::uint64_t>(spec.max, spec.prefix.size() + 1);
  for (std::uint64_t i = std::min<std::uint64_t>(contained.from, spec.prefix.size()); i < end;
       ++i) {
    if (is_possible(evaluator_.both(spec.item(i), contained.value))) {
      return true;
    }
  }
  return spec.max > end && is_possible(evaluator_.both(spec.rest, contained.value));
}

// Items that differ are told apart only if there are few that are no containers.
void ShapeTable::find_domain(ArraySpec& spec) {
  if (spec.max <= 1) {
    spec.is_unique = false;
    return;
  }
  const bool is_plain = spec.prefix.empty() && spec.contained.empty();
  const Values values = is_plain ? evaluator_.values_of_all(spec.rest) : Values{};
  if (!is_plain || !values.arrays.empty() || !values.objects.empty()) {
    return;
  }
  std::vector<std::u32string> strings;
  std::vector<std::u32string> numbers;
  RegexPool& pool = evaluator_.pool();
  if (!finite_texts(pool, values.strings.re, kMaxDomain, strings) ||
      !finite_texts(pool, values.numbers, kMaxDomain, numbers)) {
    return;
  }
  for (const std::u32string& text : strings) {
    spec.domain.push_back(json_string(text));
  }
  for (const std::u32string& text : numbers) {
    const std::string plain = to_utf8(text);
    if (plain.find_first_of(".eE") == plain.npos) {  // 1 and 1.0 are one value
      spec.domain.push_back(plain);
    }
  }
  for (const auto& [word, text] : {std::pair<Word, const char*>{kNullWord, "null"},
                                   {kFalseWord, "false"},
                                   {kTrueWord, "true"}}) {
    if ((values.words & word) != 0) {
      spec.domain.emplace_back(text);
    }
  }
  spec.max = std::min<std::uint64_t>(spec.max, spec.domain.size());
}

}  // namespace vernal::grammar
