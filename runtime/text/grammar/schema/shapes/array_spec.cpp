#include "text/grammar/schema/shapes/array_spec.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/shapes/finite_texts.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxDomain = 200;

}  // namespace

bool ArraySpecMaker::make(const ArrayCase& one, ArraySpec& spec) {
  return make(one, spec, Purpose::kUse);
}

bool ArraySpecMaker::is_possible(const ArrayCase& one) {
  ArraySpec spec;
  return make(one, spec, Purpose::kCheck);
}

bool ArraySpecMaker::make(const ArrayCase& one, ArraySpec& spec, Purpose purpose) {
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
    if (!shapes_.is_possible(spec.prefix[i])) {
      spec.max = i;
    }
  }
  if (std::min(spec.max, looked_at) > spec.prefix.size() && !shapes_.is_possible(spec.rest)) {
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
    if (contained.min > contained.max) {
      return false;
    }
  }
  return can_meet_contained(spec, 0, {});
}

// Items from `first` on that may also be `value`; not counted further than `wanted`.
std::uint64_t ArraySpecMaker::num_places(const ArraySpec& spec, std::uint64_t first, ConjId value,
                                         std::uint64_t wanted) {
  std::uint64_t found = 0;
  std::uint64_t i = first;
  for (; i < std::min<std::uint64_t>(spec.max, spec.prefix.size()) && found < wanted; ++i) {
    found += shapes_.is_possible(evaluator_.both(spec.item(i), value)) ? 1 : 0;
  }
  if (found < wanted && spec.max > i && shapes_.is_possible(evaluator_.both(spec.rest, value))) {
    found += spec.max == kNoLimit ? wanted : spec.max - i;
  }
  return std::min(found, wanted);
}

// Each condition has to find enough places. Where there are too few for all of them one by one, one
// item has to meet all of them.
bool ArraySpecMaker::can_meet_contained(const ArraySpec& spec, std::uint64_t count,
                                        const std::vector<std::uint32_t>& counts) {
  std::uint64_t lacking = 0;
  ConjId all = kAnything;
  for (std::size_t i = 0; i < spec.contained.size(); ++i) {
    const Contained& contained = spec.contained[i];
    const std::uint64_t met = i < counts.size() ? counts[i] : 0;
    if (met >= contained.min) {
      continue;
    }
    const std::uint64_t wanted = contained.min - met;
    const std::uint64_t first = std::max(count, contained.from);
    if (num_places(spec, first, contained.value, wanted) < wanted) {
      return false;
    }
    lacking += wanted;
    all = evaluator_.both(all, contained.value);
  }
  const bool is_tight = spec.max != kNoLimit && lacking > spec.max - std::min(count, spec.max);
  return !is_tight || num_places(spec, count, all, 1) > 0;
}

// Items that differ are told apart only if there are few that are no containers.
void ArraySpecMaker::find_domain(ArraySpec& spec) {
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
