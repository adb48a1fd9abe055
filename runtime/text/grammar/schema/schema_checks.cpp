#include "text/grammar/schema/schema_checks.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "text/grammar/error.hpp"

namespace vernal::grammar {

void check_references(const SchemaDocument& document) {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(document.size(), Mark::kNew);
  struct Visit {
    NodeId node;
    std::vector<NodeId> next;
  };
  const auto visit_of = [&](NodeId id) {
    const SchemaNode& node = document[id];
    std::vector<NodeId> next{node.ref, node.not_, node.if_, node.then_, node.else_};
    for (const auto* list : {&node.all_of, &node.any_of, &node.one_of}) {
      next.insert(next.end(), list->begin(), list->end());
    }
    for (const Dependency& dependency : node.dependencies) {
      next.push_back(dependency.schema);
    }
    return Visit{id, std::move(next)};
  };
  constexpr std::size_t kMaxInPlace = 300;  // schemas that apply one another to one value
  for (NodeId root = 0; root < document.size(); ++root) {
    std::vector<Visit> path;
    if (marks[root] == Mark::kNew) {
      path.push_back(visit_of(root));
      marks[root] = Mark::kOpen;
    }
    while (!path.empty()) {
      if (path.back().next.empty()) {
        marks[path.back().node] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const NodeId next = path.back().next.back();
      path.back().next.pop_back();
      if (next == kNoNode || marks[next] == Mark::kDone) {
        continue;
      }
      if (marks[next] == Mark::kOpen || path.size() > kMaxInPlace) {
        throw GrammarError(document[path.back().node].pointer, "$ref",
                           marks[next] == Mark::kOpen
                               ? "the schema applies itself to the same value again"
                               : "too many schemas apply one another to one value");
      }
      marks[next] = Mark::kOpen;
      path.push_back(visit_of(next));
    }
  }
}

void check_keywords(const SchemaDocument& document, Evaluator& evaluator, ShapeTable& shapes) {
  for (NodeId id = 0; id < document.size(); ++id) {
    const SchemaNode& node = document[id];
    const bool is_uncertain = !node.one_of.empty() || node.not_ != kNoNode || node.if_ != kNoNode ||
                              !node.all_of.empty() || node.multiple_of || node.pattern ||
                              node.format || !node.pattern_properties.empty() ||
                              node.unevaluated_items != kNoNode ||
                              node.unevaluated_properties != kNoNode || node.contains != kNoNode;
    if (is_uncertain) {
      evaluator.values_of(id * 2);
    }
    if (node.has_unique_items) {
      const Shape& shape = shapes.shape(evaluator.conj_of(id));
      for (const std::uint32_t array : shape.arrays) {
        const ArraySpec& spec = shapes.array(array);
        if (spec.is_unique && spec.domain.empty()) {
          evaluator.warn(id, "uniqueItems",
                         "items of more than 200 possible values are not compared");
        }
      }
    }
  }
}

}  // namespace vernal::grammar
