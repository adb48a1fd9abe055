#include "text/grammar/schema/node_evaluation.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <type_traits>
#include <utility>

#include "text/exact_json.hpp"
#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/formats.hpp"
#include "text/grammar/schema/schema_reader.hpp"
#include "text/grammar/schema/shapes.hpp"

namespace vernal::grammar {

bool NodeEvaluation::is_trivial(const SchemaNode& n) {
  if (n.is_never) {
    return true;
  }
  const bool has_scalar = n.types != kAllTypes || n.has_enum || !n.bounds.empty() ||
                          n.multiple_of || n.min_length > 0 || n.max_length != kNoLimit ||
                          n.pattern || n.format;
  const bool has_array = !n.prefix_items.empty() || n.items != kNoNode || n.min_items > 0 ||
                         n.max_items != kNoLimit || n.contains != kNoNode || n.has_unique_items ||
                         n.unevaluated_items != kNoNode;
  const bool has_object = !n.properties.empty() || !n.pattern_properties.empty() ||
                          n.additional_properties != kNoNode || n.property_names != kNoNode ||
                          !n.required.empty() || n.min_properties > 0 ||
                          n.max_properties != kNoLimit || !n.dependencies.empty() ||
                          n.unevaluated_properties != kNoNode;
  const bool has_applicator = !n.all_of.empty() || !n.any_of.empty() || !n.one_of.empty() ||
                              n.not_ != kNoNode || n.if_ != kNoNode || n.ref != kNoNode;
  return !has_scalar && !has_array && !has_object && !has_applicator;
}

Values NodeEvaluation::inside() {
  if (node_.is_never) {
    return {};
  }
  Values result = everything();
  for_each_keyword(Side::kInside, [&](const char* keyword, const auto& values) {
    try {
      result = e_.intersect(result, values());
    } catch (const CaseLimit&) {
      relax(keyword, "too many combinations of cases");
    } catch (const RegexLimit&) {
      relax(keyword, "too large an automaton");
    }
  });
  add_unevaluated(result);
  return result;
}

Values NodeEvaluation::outside() {
  if (node_.is_never) {
    return everything();
  }
  Values result;
  for_each_keyword(Side::kOutside, [&](const char* keyword, const auto& values) {
    try {
      e_.unite(result, values());
    } catch (const CaseLimit&) {
      relax(keyword, "too many combinations of cases in the complement");
      result = everything();
    } catch (const RegexLimit&) {
      relax(keyword, "too large an automaton for the complement");
      result = everything();
    }
  });
  merge_absent_and_wrong(result.objects);
  if (node_.unevaluated_items != kNoNode || node_.unevaluated_properties != kNoNode) {
    relax("unevaluatedProperties", "the complement is not checked");
    result = everything();
  }
  return result;
}

namespace {

/// Whether a case says one thing about one key and nothing else.
bool is_about_one_key(const ObjectCase& one) {
  return one.groups.size() == 1 && one.groups[0]->properties.size() == 1 &&
         one.groups[0]->patterns.empty() && one.groups[0]->additional == kNoConj && one.min == 0 &&
         one.max == kNoLimit && one.names == kAnyText && one.some.empty();
}

}  // namespace

// "k is absent" and "k is there and wrong" are "k, if there, is wrong": one case instead of two, or
// of 2^n in a union of n objects that each require a key.
void NodeEvaluation::merge_absent_and_wrong(std::vector<ObjectCase>& cases) {
  const ConjId never = e_.conj_of(kNoNode, true);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!is_about_one_key(cases[i]) || !cases[i].required.empty() ||
        cases[i].groups[0]->properties[0].second != never) {
      continue;
    }
    const KeyId key = cases[i].groups[0]->properties[0].first;
    for (std::size_t j = 0; j < cases.size(); ++j) {
      const bool is_wrong = is_about_one_key(cases[j]) && cases[j].required.size() == 1 &&
                            cases[j].required[0] == key &&
                            cases[j].groups[0]->properties[0].first == key;
      if (is_wrong) {
        cases[i].groups = cases[j].groups;
        cases.erase(cases.begin() + static_cast<std::ptrdiff_t>(j));
        i -= j < i ? 1 : 0;
        break;
      }
    }
  }
}

template <class Visit>
void NodeEvaluation::for_each_keyword(Side side, const Visit& visit) {
  if (node_.types != kAllTypes) {
    visit("type", [&] { return types(side); });
  }
  scalar_keywords(side, visit);
  array_keywords(side, visit);
  object_keywords(side, visit);
  applicators(side, visit);
}

template <class Visit>
void NodeEvaluation::scalar_keywords(Side side, const Visit& visit) {
  if (node_.has_enum) {
    visit("enum", [&] { return literals(side); });
  }
  for (const NumberBound& limit : node_.bounds) {
    visit(limit.keyword, [&] { return bound(side, limit); });
  }
  if (node_.multiple_of) {
    visit("multipleOf", [&] { return multiple(side); });
  }
  if (node_.min_length > 0 || node_.max_length != kNoLimit) {
    visit(node_.min_length > 0 ? "minLength" : "maxLength", [&] {
      if (node_.min_length > node_.max_length) {
        return with_strings(side, kNothing);
      }
      const auto count = [](std::uint64_t n) {
        return n == kNoLimit ? kUnlimited : static_cast<std::uint32_t>(n);
      };
      RegexPool& pool = e_.pool();
      return with_strings(side, pool.repeat(pool.any_character(), count(node_.min_length),
                                            count(node_.max_length)));
    });
  }
  if (node_.pattern) {
    visit("pattern", [&] { return pattern(side); });
  }
  if (node_.format && e_.options().asserts_formats) {
    visit("format", [&] { return format(side); });
  }
}

template <class Visit>
void NodeEvaluation::array_keywords(Side side, const Visit& visit) {
  if (!node_.prefix_items.empty() || node_.items != kNoNode) {
    visit("items", [&] { return items(side); });
  }
  if (node_.min_items > 0) {
    visit("minItems", [&] {
      ArrayCase one;
      (side == Side::kInside ? one.min : one.max) =
          node_.min_items - (side == Side::kInside ? 0 : 1);
      return with_arrays(side, {one});
    });
  }
  if (node_.max_items != kNoLimit) {
    visit("maxItems", [&] {
      ArrayCase one;
      (side == Side::kInside ? one.max : one.min) =
          node_.max_items + (side == Side::kInside ? 0 : 1);
      return with_arrays(side, {one});
    });
  }
  if (node_.contains != kNoNode) {
    visit("contains", [&] { return contains(side); });
  }
  if (node_.has_unique_items) {
    visit("uniqueItems", [&] {
      ArrayCase one;
      one.is_unique = side == Side::kInside;
      if (side == Side::kOutside) {
        one.min = 2;
        relax("uniqueItems", "the complement is not checked");
      }
      return with_arrays(side, {one});
    });
  }
}

template <class Visit>
void NodeEvaluation::object_keywords(Side side, const Visit& visit) {
  if (!node_.properties.empty() || !node_.pattern_properties.empty() ||
      node_.additional_properties != kNoNode) {
    visit("properties", [&] { return properties(side); });
  }
  if (node_.property_names != kNoNode) {
    visit("propertyNames", [&] {
      ObjectCase one;
      const Re names = values_of(node_.property_names, side).strings.re;
      if (side == Side::kInside) {
        one.names = names;
      } else {
        one.some.push_back({names, kAnything});
      }
      return with_objects(side, {one});
    });
  }
  if (!node_.required.empty()) {
    visit("required", [&] {
      std::vector<ObjectCase> cases(side == Side::kInside ? 1 : 0);
      for (const std::string& key : node_.required) {
        if (side == Side::kInside) {
          cases[0].required.push_back(e_.key_id(to_code_points(key)));
        } else {
          cases.push_back(without(key));
        }
      }
      return with_objects(side, std::move(cases));
    });
  }
  if (node_.min_properties > 0) {
    visit("minProperties", [&] {
      ObjectCase one;
      (side == Side::kInside ? one.min : one.max) =
          node_.min_properties - (side == Side::kInside ? 0 : 1);
      return with_objects(side, {one});
    });
  }
  if (node_.max_properties != kNoLimit) {
    visit("maxProperties", [&] {
      ObjectCase one;
      (side == Side::kInside ? one.max : one.min) =
          node_.max_properties + (side == Side::kInside ? 0 : 1);
      return with_objects(side, {one});
    });
  }
  for (const Dependency& each : node_.dependencies) {
    visit("dependencies", [&] { return dependency(side, each); });
  }
}

template <class Visit>
void NodeEvaluation::applicators(Side side, const Visit& visit) {
  if (node_.ref != kNoNode) {
    visit("$ref", [&] { return values_of(node_.ref, side); });
  }
  if (!node_.all_of.empty()) {
    visit("allOf", [&] {
      return side == Side::kInside ? all_of(node_.all_of, side) : any_of(node_.all_of, side);
    });
  }
  if (!node_.any_of.empty()) {
    visit("anyOf", [&] {
      return side == Side::kInside ? any_of(node_.any_of, side) : all_of(node_.any_of, side);
    });
  }
  if (!node_.one_of.empty()) {
    visit("oneOf", [&] { return one_of(side); });
  }
  if (node_.not_ != kNoNode) {
    visit("not", [&] {
      return without_marks(
          values_of(node_.not_, side == Side::kInside ? Side::kOutside : Side::kInside));
    });
  }
  const bool has_branch = node_.then_ != kNoNode || node_.else_ != kNoNode;
  if (node_.if_ != kNoNode && (has_branch || e_.has_unevaluated())) {
    visit("if", [&] { return conditional(side); });
  }
}

Values NodeEvaluation::with_strings(Side side, Re inside) {
  Values values = others(side);
  values.strings = {side == Side::kInside ? inside : e_.pool().complement(inside), nullptr};
  return values;
}

Values NodeEvaluation::with_numbers(Side side, Re re) {
  Values values = others(side);
  values.numbers = re;
  return values;
}

Values NodeEvaluation::with_arrays(Side side, std::vector<ArrayCase> cases) {
  Values values = others(side);
  values.arrays = std::move(cases);
  return values;
}

Values NodeEvaluation::with_objects(Side side, std::vector<ObjectCase> cases) {
  Values values = others(side);
  values.objects = std::move(cases);
  return values;
}

Values NodeEvaluation::types(Side side) {
  const bool is_inside = side == Side::kInside;
  const auto has = [&](std::uint8_t bit) { return ((node_.types & bit) != 0) == is_inside; };
  Values values;
  values.words = static_cast<std::uint8_t>((has(kNull) ? kNullWord : 0) |
                                           (has(kBoolean) ? kFalseWord | kTrueWord : 0));
  if (has(kInteger) && has(kOtherNumber)) {
    values.numbers = e_.numbers_;
  } else if (has(kInteger)) {
    values.numbers = e_.integers_;
  } else if (has(kOtherNumber)) {
    values.numbers = e_.fractions_;
  }
  values.strings.re = has(kString) ? kAnyText : kNothing;
  values.arrays.resize(has(kArray) ? 1 : 0);
  values.objects.resize(has(kObject) ? 1 : 0);
  return values;
}

Values NodeEvaluation::literals(Side side) {
  RegexPool& pool = e_.pool();
  Values values;
  std::vector<std::u32string> spellings;  // of numbers
  std::vector<Re> not_these;
  auto texts = std::make_shared<std::vector<std::u32string>>();
  for (const boost::json::value* scalar : node_.scalars) {
    if (const std::optional<Decimal> number = number_of(*scalar)) {
      const std::string plain = std::abs(number->point) < 400 ? plain_text(*number) : "";
      const std::string written =
          is_written_number(*scalar) ? std::string(written_text(*scalar)) : "";
      for (const std::string& text : {plain, written}) {
        if (!text.empty()) {
          spellings.push_back(to_code_points(text));
        }
      }
      if (number->is_integer() && !plain.empty()) {
        spellings.push_back(to_code_points(plain + ".0"));
      }
      not_these.push_back(
          pool.leaf(e_.bounds_language_, e_.bounds_.start(*number, kLess | kGreater)));
    } else if (scalar->is_string()) {
      texts->push_back(to_code_points(scalar->get_string()));
    } else if (scalar->is_bool()) {
      values.words |= scalar->get_bool() ? kTrueWord : kFalseWord;
    } else {
      values.words |= kNullWord;
    }
  }
  if (side == Side::kInside) {
    values.numbers = pool.literals(std::move(spellings));
    if (!texts->empty()) {
      values.strings = {pool.literals(*texts), texts};
    }
    for (const NodeId container : node_.containers) {
      e_.unite(values, values_of(container, side));
    }
    return values;
  }
  Values rest = everything();
  rest.words = static_cast<std::uint8_t>(kAllWords & ~values.words);
  not_these.push_back(e_.numbers_);
  rest.numbers = pool.all_of(std::move(not_these));
  rest.strings.re = pool.complement(pool.literals(*texts));
  for (const NodeId container : node_.containers) {
    rest = e_.intersect(rest, values_of(container, side));
  }
  return rest;
}

Values NodeEvaluation::pattern(Side side) {
  const Pattern pattern = parse_pattern(e_.pool(), *node_.pattern, Anchoring::kSearch);
  if (!pattern.problem.empty()) {
    relax("pattern", pattern.problem);
    return with_strings(Side::kInside, kAnyText);
  }
  return with_strings(side, pattern.re);
}

Values NodeEvaluation::format(Side side) {
  const std::optional<Re> language = format_language(e_.pool(), *node_.format);
  if (!language) {
    e_.warn(id_, "format", "\"" + *node_.format + "\" is not asserted", Loss::kIgnored);
    return everything();
  }
  if (const char* narrowed = narrowing_of(*node_.format); narrowed != nullptr) {
    e_.warn(id_, "format", narrowed, Loss::kNarrowed);
  }
  return with_strings(side, *language);
}

Values NodeEvaluation::bound(Side side, const NumberBound& bound) {
  const auto wanted = static_cast<std::uint8_t>(
      side == Side::kInside ? bound.wanted : bound.wanted ^ (kLess | kEqual | kGreater));
  const std::uint32_t state = e_.bounds_.start(bound.bound, wanted);
  return with_numbers(side, e_.pool().leaf(e_.bounds_language_, state));
}

Values NodeEvaluation::multiple(Side side) {
  e_.warn(id_, "multipleOf", "numbers are written without an exponent", Loss::kNarrowed);
  std::uint32_t state = 0;
  if (!e_.multiples_.start(*node_.multiple_of, side == Side::kInside, state)) {
    relax("multipleOf", "the divisor has too many digits");
    return everything();
  }
  return with_numbers(side, e_.pool().leaf(e_.multiples_language_, state));
}

Values NodeEvaluation::items(Side side) {
  if (side == Side::kInside) {
    auto group = std::make_shared<ItemGroup>();
    for (const NodeId item : node_.prefix_items) {
      group->prefix.push_back(e_.conj_of(item));
    }
    group->rest = e_.conj_of(node_.items);
    group->has_rest = node_.items != kNoNode;
    ArrayCase one;
    one.groups.push_back(std::move(group));
    return with_arrays(side, {one});
  }
  std::vector<ArrayCase> cases;
  for (std::size_t i = 0; i < node_.prefix_items.size(); ++i) {
    auto group = std::make_shared<ItemGroup>();
    group->prefix.resize(i, kAnything);
    group->prefix.push_back(e_.conj_of(node_.prefix_items[i], true));
    group->evaluates = false;
    ArrayCase one;
    one.groups.push_back(std::move(group));
    one.min = i + 1;
    cases.push_back(std::move(one));
  }
  if (node_.items != kNoNode) {
    ArrayCase one;
    one.contained.push_back({e_.conj_of(node_.items, true), e_.conj_of(node_.items),
                             node_.prefix_items.size(), 1, kNoLimit});
    cases.push_back(std::move(one));
  }
  return with_arrays(side, std::move(cases));
}

Values NodeEvaluation::contains(Side side) {
  const ConjId value = e_.conj_of(node_.contains);
  const ConjId other = e_.conj_of(node_.contains, true);
  std::vector<ArrayCase> cases;
  const auto add_case = [&](std::uint64_t min, std::uint64_t max) {
    ArrayCase one;
    if (max == 0) {
      auto group = std::make_shared<ItemGroup>();
      group->rest = other;
      group->evaluates = false;
      one.groups.push_back(std::move(group));
    } else if (min > 0 || max != kNoLimit || e_.has_unevaluated()) {
      one.contained.push_back({value, other, 0, min, max});
    }
    cases.push_back(std::move(one));
  };
  if (side == Side::kInside) {
    if (node_.min_contains <= node_.max_contains) {
      add_case(node_.min_contains, node_.max_contains);
    }
  } else {
    if (node_.min_contains > 0) {
      add_case(0, node_.min_contains - 1);
    }
    if (node_.max_contains != kNoLimit) {
      add_case(node_.max_contains + 1, kNoLimit);
    }
  }
  return with_arrays(side, std::move(cases));
}

ObjectCase NodeEvaluation::without(const std::string& key) {
  auto group = std::make_shared<ObjectGroup>();
  group->properties.emplace_back(e_.key_id(to_code_points(key)), e_.conj_of(kNoNode, true));
  group->evaluates = false;
  ObjectCase one;
  one.groups.push_back(std::move(group));
  return one;
}

Values NodeEvaluation::properties(Side side) {
  RegexPool& pool = e_.pool();
  auto group = std::make_shared<ObjectGroup>();
  std::vector<ObjectCase> outside;
  std::vector<Re> named;
  for (const auto& [key, node] : node_.properties) {
    const KeyId id = e_.key_id(to_code_points(key));
    group->properties.emplace_back(id, e_.conj_of(node));
    if (side == Side::kOutside) {
      auto violation = std::make_shared<ObjectGroup>();
      violation->properties.emplace_back(id, e_.conj_of(node, true));
      violation->evaluates = false;
      ObjectCase one;
      one.groups.push_back(std::move(violation));
      one.required.push_back(id);
      outside.push_back(std::move(one));
      named.push_back(pool.literal(e_.key_text(id)));
    }
  }
  for (const auto& [text, node] : node_.pattern_properties) {
    const Pattern pattern = parse_pattern(pool, text, Anchoring::kSearch);
    if (!pattern.problem.empty()) {
      relax("patternProperties", pattern.problem);
      return everything();
    }
    group->patterns.emplace_back(pattern.re, e_.conj_of(node));
    if (side == Side::kOutside) {
      ObjectCase one;
      one.some.push_back({pattern.re, e_.conj_of(node, true)});
      outside.push_back(std::move(one));
      named.push_back(pattern.re);
    }
  }
  const bool has_additional = node_.additional_properties != kNoNode;
  if (side == Side::kInside) {
    group->additional = has_additional ? e_.conj_of(node_.additional_properties) : kNoConj;
    group->is_closable = !has_additional && !node_.properties.empty();
    ObjectCase one;
    one.groups.push_back(std::move(group));
    return with_objects(side, {one});
  }
  if (has_additional) {
    ObjectCase one;
    one.some.push_back({pool.complement(pool.any_of(std::move(named))),
                        e_.conj_of(node_.additional_properties, true)});
    outside.push_back(std::move(one));
  }
  return with_objects(side, std::move(outside));
}

Values NodeEvaluation::dependency(Side side, const Dependency& dependency) {
  ObjectCase present;
  present.required.push_back(e_.key_id(to_code_points(dependency.key)));
  std::vector<ObjectCase> cases;
  if (dependency.schema != kNoNode) {
    for (const ObjectCase& one : values_of(dependency.schema, side).objects) {
      cases.push_back(meet(present, one, e_.pool()));
    }
  } else if (side == Side::kInside) {
    for (const std::string& key : dependency.keys) {
      present.required.push_back(e_.key_id(to_code_points(key)));
    }
    cases.push_back(present);
  } else {
    for (const std::string& key : dependency.keys) {
      cases.push_back(meet(present, without(key), e_.pool()));
    }
  }
  if (side == Side::kInside) {
    cases.push_back(without(dependency.key));
  }
  return with_objects(side, std::move(cases));
}

Values NodeEvaluation::all_of(const std::vector<NodeId>& nodes, Side side) {
  Values result = everything();
  for (const NodeId node : nodes) {
    result = e_.intersect(result, values_of(node, side));
  }
  return result;
}

Values NodeEvaluation::any_of(const std::vector<NodeId>& nodes, Side side) {
  Values result;
  for (const NodeId node : nodes) {
    e_.unite(result, values_of(node, side));
  }
  return result;
}

// Exactly one branch. A branch is cut by the complement of another only where both overlap.
Values NodeEvaluation::one_of(Side side) {
  const std::vector<NodeId>& branches = node_.one_of;
  Values result;
  if (side == Side::kInside) {
    for (std::size_t i = 0; i < branches.size(); ++i) {
      e_.unite(result, exactly(i));
    }
    return result;
  }
  result = all_of(branches, side);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    for (std::size_t j = i + 1; j < branches.size(); ++j) {
      e_.unite(result, e_.intersect(values_of(branches[i], Side::kInside),
                                    values_of(branches[j], Side::kInside)));
    }
  }
  return result;
}

Values NodeEvaluation::exactly(std::size_t branch) {
  Values result = values_of(node_.one_of[branch], Side::kInside);
  for (std::size_t j = 0; j < node_.one_of.size(); ++j) {
    if (j == branch) {
      continue;
    }
    try {
      result = e_.subtract(result, node_.one_of[j]);
    } catch (const CaseLimit&) {
      relax("oneOf", "branches overlap in too many ways; several may hold");
    } catch (const RegexLimit&) {
      relax("oneOf", "the overlap of branches is too large an automaton; several may hold");
    }
  }
  return result;
}

Values NodeEvaluation::conditional(Side side) {
  const auto branch = [&](NodeId node) {
    return node == kNoNode ? (side == Side::kInside ? everything() : Values{})
                           : values_of(node, side);
  };
  Values result = e_.intersect(values_of(node_.if_, Side::kInside), branch(node_.then_));
  e_.unite(result, e_.intersect(values_of(node_.if_, Side::kOutside), branch(node_.else_)));
  return result;
}

// What "not" looks at counts as evaluated by nobody.
Values NodeEvaluation::without_marks(Values values) const {
  if (!e_.has_unevaluated()) {
    return values;
  }
  const auto unmark = [](auto& groups) {
    for (auto& group : groups) {
      auto copy = std::make_shared<std::remove_cvref_t<decltype(*group)>>(*group);
      copy->evaluates = false;
      group = std::move(copy);
    }
  };
  for (ObjectCase& one : values.objects) {
    unmark(one.groups);
  }
  for (ArrayCase& one : values.arrays) {
    unmark(one.groups);
  }
  return values;
}

// What no keyword of this schema, nor of those that it applies in place, has looked at.
void NodeEvaluation::add_unevaluated(Values& values) {
  const bool has_items = node_.unevaluated_items != kNoNode;
  if (has_items || node_.unevaluated_properties != kNoNode) {
    e_.warn(id_, has_items ? "unevaluatedItems" : "unevaluatedProperties",
            "where several branches hold, what one of them evaluates counts", Loss::kNarrowed);
  }
  if (node_.unevaluated_properties != kNoNode) {
    for (ObjectCase& one : values.objects) {
      auto rest = std::make_shared<ObjectGroup>();
      bool is_all_evaluated = false;
      for (const auto& group : one.groups) {
        if (!group->evaluates) {
          continue;
        }
        for (const auto& property : group->properties) {
          rest->properties.emplace_back(property.first, kAnything);
        }
        for (const auto& pattern : group->patterns) {
          rest->patterns.emplace_back(pattern.first, kAnything);
        }
        is_all_evaluated = is_all_evaluated || group->additional != kNoConj;
      }
      rest->additional = e_.conj_of(node_.unevaluated_properties);
      if (!is_all_evaluated) {
        one.groups.push_back(std::move(rest));
      }
    }
  }
  if (node_.unevaluated_items == kNoNode) {
    return;
  }
  for (ArrayCase& one : values.arrays) {
    auto rest = std::make_shared<ItemGroup>();
    bool is_all_evaluated = false;
    for (const auto& group : one.groups) {
      if (group->evaluates) {
        rest->prefix.resize(std::max(rest->prefix.size(), group->prefix.size()), kAnything);
        is_all_evaluated = is_all_evaluated || group->has_rest;
      }
    }
    if (!one.contained.empty() && !is_all_evaluated) {
      relax("unevaluatedItems", "items that contains has looked at are not told apart");
      continue;
    }
    rest->rest = e_.conj_of(node_.unevaluated_items);
    rest->has_rest = true;
    if (!is_all_evaluated) {
      one.groups.push_back(std::move(rest));
    }
  }
}

}  // namespace vernal::grammar
