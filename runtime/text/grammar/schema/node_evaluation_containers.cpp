// Keywords about arrays and objects.
#include "text/grammar/schema/node_evaluation.hpp"

#include <memory>
#include <utility>

#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {

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

}  // namespace vernal::grammar
