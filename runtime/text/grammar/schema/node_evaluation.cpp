#include "text/grammar/schema/node_evaluation.hpp"

#include <algorithm>
#include <utility>

#include "text/grammar/regex/pattern.hpp"

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

}  // namespace vernal::grammar
