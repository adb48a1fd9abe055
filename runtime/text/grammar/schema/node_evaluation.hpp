// The values inside and outside one schema, keyword by keyword.
#pragma once

#include <string>
#include <vector>

#include "text/grammar/schema/evaluator.hpp"

namespace vernal::grammar {

/// A keyword limits some types. `inside` says what it allows of them; other types are free inside
/// and absent outside.
class NodeEvaluation {
 public:
  NodeEvaluation(Evaluator& evaluator, NodeId id)
      : e_(evaluator), id_(id), node_(evaluator.document_[id]) {}

  Values inside();
  Values outside();

  /// `true`, `{}` and `false`.
  static bool is_trivial(const SchemaNode& node);

 private:
  enum class Side : std::uint8_t { kInside, kOutside };

  /// Calls `visit` with the values of each keyword on one side.
  template <class Visit>
  void for_each_keyword(Side side, const Visit& visit);
  template <class Visit>
  void scalar_keywords(Side side, const Visit& visit);
  template <class Visit>
  void array_keywords(Side side, const Visit& visit);
  template <class Visit>
  void object_keywords(Side side, const Visit& visit);
  template <class Visit>
  void applicators(Side side, const Visit& visit);

  Values everything() { return e_.values_of_all(kAnything); }
  /// All types on the inside, none on the outside.
  Values others(Side side) { return side == Side::kInside ? everything() : Values{}; }
  const Values& values_of(NodeId node, Side side) {
    return e_.values_of(node * 2 + (side == Side::kInside ? 0U : 1U));
  }
  Values with_strings(Side side, Re inside);
  Values with_numbers(Side side, Re re);
  Values with_arrays(Side side, std::vector<ArrayCase> cases);
  Values with_objects(Side side, std::vector<ObjectCase> cases);

  Values types(Side side);
  Values literals(Side side);
  Values pattern(Side side);
  Values format(Side side);
  Values bound(Side side, const NumberBound& bound);
  Values multiple(Side side);
  Values items(Side side);
  Values contains(Side side);
  Values properties(Side side);
  Values dependency(Side side, const Dependency& dependency);
  ObjectCase without(const std::string& key);
  Values all_of(const std::vector<NodeId>& nodes, Side side);
  Values any_of(const std::vector<NodeId>& nodes, Side side);
  Values one_of(Side side);
  Values exactly(std::size_t branch);
  Values conditional(Side side);
  void add_unevaluated(Values& values);
  void merge_absent_and_wrong(std::vector<ObjectCase>& cases);
  void relax(const std::string& keyword, const std::string& reason) {
    e_.warn(id_, keyword, reason);
  }
  Values without_marks(Values values) const;

  Evaluator& e_;
  NodeId id_;
  const SchemaNode& node_;
};

}  // namespace vernal::grammar
