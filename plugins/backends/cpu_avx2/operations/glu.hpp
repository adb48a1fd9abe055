// glu/1, and the reading of its options, which moe_glu/1 shares.
#pragma once

#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation_table.hpp"

namespace vernal::cpu_avx2 {

/// The options of a node that is not refused. The memory of the rows is left open.
GluRows glu_parameters(const Node& node);

/// Why the kind of gated unit is not for the kernels; nothing if it is.
Refusal refuse_glu_kind(const Node& node);

}  // namespace vernal::cpu_avx2
