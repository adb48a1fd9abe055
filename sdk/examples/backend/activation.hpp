// The non-linear functions of act/1 and of the gated linear units (sdk/spec/operations.md).
#pragma once

#include <string_view>

#include "vernal/builder_types.hpp"

namespace reference {

double sigmoid(double x);

/// f(x) for a kind of act/1. Throws UNSUPPORTED for an unknown kind.
double activate(std::string_view kind, double x);

/// A gated linear unit: of glu/1, and of moe_glu/1.
double glu(const vernal::GluOptions& options, double gate, double up);

}  // namespace reference
