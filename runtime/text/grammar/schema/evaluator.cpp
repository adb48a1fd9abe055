#include "text/grammar/schema/evaluator.hpp"

#include <algorithm>
#include <iterator>

#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/node_evaluation.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"

namespace vernal::grammar {

ObjectCase meet(const ObjectCase& a, const ObjectCase& b, RegexPool& pool) {
  ObjectCase result = a;
  for (const auto& group : b.groups) {
    if (std::find(a.groups.begin(), a.groups.end(), group) == a.groups.end()) {
      result.groups.push_back(group);
    }
  }
  result.required.insert(result.required.end(), b.required.begin(), b.required.end());
  result.min = std::max(a.min, b.min);
  result.max = std::min(a.max, b.max);
  result.names = pool.all_of(a.names, b.names);
  result.some.insert(result.some.end(), b.some.begin(), b.some.end());
  return result;
}

ArrayCase meet(const ArrayCase& a, const ArrayCase& b) {
  ArrayCase result = a;
  for (const auto& group : b.groups) {
    if (std::find(a.groups.begin(), a.groups.end(), group) == a.groups.end()) {
      result.groups.push_back(group);
    }
  }
  result.min = std::max(a.min, b.min);
  result.max = std::min(a.max, b.max);
  result.contained.insert(result.contained.end(), b.contained.begin(), b.contained.end());
  result.is_unique = a.is_unique || b.is_unique;
  return result;
}

namespace {

constexpr const char* kIntegerPattern = "-?(?:0|[1-9][0-9]*)";

}  // namespace

StringLanguage meet(const StringLanguage& a, const StringLanguage& b, RegexPool& pool) {
  if (!a.texts && !b.texts) {
    return {pool.all_of(a.re, b.re), nullptr};
  }
  // Literals are filtered, so that the rest of the expression is never derived beside them.
  const StringLanguage& finite = a.texts ? a : b;
  const Re other = a.texts ? b.re : a.re;
  if (other == kAnyText) {
    return finite;
  }
  auto kept = std::make_shared<std::vector<std::u32string>>();
  for (const std::u32string& text : *finite.texts) {
    if (pool.matches(other, text)) {
      kept->push_back(text);
    }
  }
  return {pool.literals(*kept), kept};
}

Evaluator::Evaluator(const SchemaDocument& document, RegexPool& pool, const GrammarOptions& options,
                     WarningList& warnings)
    : document_(document), pool_(pool), options_(options), warnings_(warnings) {
  bounds_language_ = pool.add_language(bounds_);
  multiples_language_ = pool.add_language(multiples_);
  const auto read = [&](const std::string& pattern) {
    return parse_pattern(pool_, pattern, Anchoring::kWhole).re;
  };
  const std::string integer = kIntegerPattern;
  integers_ = read(options.numbers == NumberSpelling::kAll ? integer + "(?:\\.0+)?" : integer);
  fractions_ = read(integer + "\\.[0-9]*[1-9][0-9]*");
  numbers_ = read(integer + "(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?");
  conjs_.intern({});
  for (NodeId id = 0; id < document_.size(); ++id) {
    has_unevaluated_ = has_unevaluated_ || document_[id].unevaluated_items != kNoNode ||
                       document_[id].unevaluated_properties != kNoNode;
  }
}

const Values& Evaluator::values_of(Literal literal) {
  static const Values kNone;
  if (literal == kNever) {
    return kNone;
  }
  if (known_.size() <= literal) {
    known_.resize(document_.size() * 2);
  }
  Known& known = known_[literal];
  if (known.values) {
    return *known.values;
  }
  if (known.is_open) {
    throw SearchBlocked{};
  }
  known.is_open = true;
  try {
    NodeEvaluation evaluation(*this, literal / 2);
    Values values = literal % 2 == 0 ? evaluation.inside() : evaluation.outside();
    known_[literal].values = std::make_unique<Values>(std::move(values));
  } catch (...) {
    known_[literal].is_open = false;
    throw;
  }
  known_[literal].is_open = false;
  return *known_[literal].values;
}

Values Evaluator::values_of_all(ConjId conj) {
  const std::vector<Literal> all = conjs_[conj];
  if (all.empty()) {
    Values everything;
    everything.words = kAllWords;
    everything.numbers = numbers_;
    everything.strings.re = kAnyText;
    everything.arrays.emplace_back();
    everything.objects.emplace_back();
    return everything;
  }
  Values values = all[0] % 2 == 0 || all.size() == 1 ? values_of(all[0]) : values_of_all(kAnything);
  // Complements come last: each cuts off only what overlaps with it.
  for (const bool is_complement : {false, true}) {
    for (const Literal literal : all) {
      if ((literal == all[0] && (literal % 2 == 0 || all.size() == 1)) ||
          (literal % 2 != 0) != is_complement) {
        continue;
      }
      try {
        values =
            is_complement ? subtract(values, literal / 2) : intersect(values, values_of(literal));
      } catch (const CaseLimit&) {
        warn(literal / 2, is_complement ? "not" : "allOf", "too many combinations of cases");
      }
    }
  }
  return values;
}

namespace {

/// The cases without `inside`: those that overlap with it meet one of `outside`.
template <class Case, class Meet>
std::vector<Case> cut_cases(const std::vector<Case>& cases, const std::vector<Case>& inside,
                            const std::vector<Case>& outside, ShapeTable& shapes,
                            const Meet& meet_both) {
  constexpr std::size_t kMaxCut = 256;
  std::vector<Case> kept;
  for (const Case& one : cases) {
    const bool overlaps = std::any_of(inside.begin(), inside.end(), [&](const Case& other) {
      return shapes.may_be_possible(meet_both(one, other));
    });
    if (!overlaps) {
      kept.push_back(one);
      continue;
    }
    for (const Case& other : outside) {
      Case both = meet_both(one, other);
      if (shapes.may_be_possible(both)) {
        kept.push_back(std::move(both));
      }
      if (kept.size() > kMaxCut || shapes.is_exhausted()) {
        throw CaseLimit{};
      }
    }
  }
  return kept;
}

}  // namespace

Values Evaluator::subtract(const Values& values, NodeId node) {
  const Values& inside = values_of(node * 2);
  const Values& outside = values_of(node * 2 + 1);
  Values result = values;
  result.words &= outside.words;
  if (!pool_.is_nothing(pool_.all_of(result.numbers, inside.numbers))) {
    result.numbers = pool_.all_of(result.numbers, outside.numbers);
  }
  if (!pool_.is_nothing(meet(result.strings, inside.strings, pool_).re)) {
    result.strings = meet(result.strings, outside.strings, pool_);
  }
  result.arrays = cut_cases(values.arrays, inside.arrays, outside.arrays, *shapes_,
                            [](const ArrayCase& a, const ArrayCase& b) { return meet(a, b); });
  result.objects =
      cut_cases(values.objects, inside.objects, outside.objects, *shapes_,
                [&](const ObjectCase& a, const ObjectCase& b) { return meet(a, b, pool_); });
  return result;
}

ConjId Evaluator::conj_of(NodeId node, bool is_complement) {
  if (node == kNoNode) {
    return is_complement ? conjs_.intern({kNever}).first : kAnything;
  }
  const SchemaNode& schema = document_[node];
  if (NodeEvaluation::is_trivial(schema)) {
    return schema.is_never == is_complement ? kAnything : conjs_.intern({kNever}).first;
  }
  return conjs_.intern({node * 2 + (is_complement ? 1U : 0U)}).first;
}

ConjId Evaluator::both(ConjId a, ConjId b) {
  if (a == b || b == kAnything) {
    return a;
  }
  if (a == kAnything) {
    return b;
  }
  std::vector<Literal> all = conjs_[a];
  const std::vector<Literal>& more = conjs_[b];
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.back() == kNever) {
    all = {kNever};
  }
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i] % 2 == 0 && all[i + 1] == all[i] + 1) {
      all = {kNever};
    }
  }
  return conjs_.intern(std::move(all)).first;
}

KeyId Evaluator::key_id(const std::u32string& key) {
  const auto [place, is_new] = key_ids_.emplace(key, static_cast<KeyId>(keys_.size()));
  if (is_new) {
    keys_.push_back(key);
  }
  return place->second;
}

Values Evaluator::intersect(const Values& a, const Values& b) {
  Values result;
  result.words = a.words & b.words;
  result.numbers = pool_.all_of(a.numbers == numbers_ ? kAnyText : a.numbers,
                                b.numbers == numbers_ ? kAnyText : b.numbers);
  result.numbers = result.numbers == kAnyText ? numbers_ : result.numbers;
  result.strings = meet(a.strings, b.strings, pool_);
  const std::size_t num_objects = a.objects.size() * b.objects.size();
  const std::size_t num_arrays = a.arrays.size() * b.arrays.size();
  for (const ObjectCase& left : a.objects) {
    for (const ObjectCase& right : b.objects) {
      ObjectCase both = meet(left, right, pool_);
      // Impossible cases are dropped before they multiply.
      if (num_objects < 8 || shapes_->may_be_possible(both)) {
        result.objects.push_back(std::move(both));
      }
      if (result.objects.size() > kMaxCases) {
        throw CaseLimit{};
      }
    }
  }
  for (const ArrayCase& left : a.arrays) {
    for (const ArrayCase& right : b.arrays) {
      ArrayCase both = meet(left, right);
      if (num_arrays < 8 || shapes_->may_be_possible(both)) {
        result.arrays.push_back(std::move(both));
      }
      if (result.arrays.size() > kMaxCases) {
        throw CaseLimit{};
      }
    }
  }
  return result;
}

void Evaluator::unite(Values& into, Values more) {
  into.words |= more.words;
  const bool has_all = into.numbers == numbers_ || more.numbers == numbers_;
  into.numbers = has_all ? numbers_ : pool_.any_of(into.numbers, more.numbers);
  const bool both_finite = (into.strings.texts || into.strings.re == kNothing) &&
                           (more.strings.texts || more.strings.re == kNothing);
  if (both_finite && (into.strings.texts || more.strings.texts)) {
    auto all = std::make_shared<std::vector<std::u32string>>();
    for (const auto* side : {&into.strings, &more.strings}) {
      if (side->texts) {
        all->insert(all->end(), side->texts->begin(), side->texts->end());
      }
    }
    into.strings = {pool_.literals(*all), all};
  } else {
    into.strings = {pool_.any_of(into.strings.re, more.strings.re), nullptr};
  }
  std::move(more.arrays.begin(), more.arrays.end(), std::back_inserter(into.arrays));
  std::move(more.objects.begin(), more.objects.end(), std::back_inserter(into.objects));
  if (into.arrays.size() > kMaxCases || into.objects.size() > kMaxCases) {
    throw CaseLimit{};
  }
}

void Evaluator::warn(NodeId node, std::string keyword, std::string reason, Loss loss) {
  warnings_.add({document_[node].pointer, std::move(keyword), std::move(reason), loss});
}

}  // namespace vernal::grammar
