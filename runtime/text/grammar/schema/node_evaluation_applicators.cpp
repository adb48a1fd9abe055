// Keywords that combine schemas: allOf, anyOf, oneOf, if, and what none of them evaluated.
#include "text/grammar/schema/node_evaluation.hpp"

#include <utility>

namespace vernal::grammar {

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
