// The non-linear functions of act/1 and of the gated linear units (sdk/spec/operations.md).
#pragma once

#include <string_view>

#include "vernal/module.hpp"

namespace reference {

double sigmoid(double x);

/// f(x) for a kind of act/1. Throws UNSUPPORTED for an unknown kind.
double activate(std::string_view kind, double x);

/// The gated linear unit of a node: glu/1 and moe_glu/1 have the same attributes.
class Glu {
 public:
  /// Borrows the node.
  explicit Glu(const vernal::Node& node);
  double operator()(double gate, double up) const;

 private:
  std::string_view kind_;
  double alpha_;
  double limit_;
};

}  // namespace reference
