#include <array>

#include "compile/fusion/fusion.hpp"
#include "operations/delta_rule.hpp"
#include "operations/layout.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Where a reader of the copy finds the same numbers.
DeltaRuleOperation::Source read_in_place(const DeltaRuleOperation::Source& source,
                                         const backend::AxisCopy& copy) {
  if (source.buffer != copy.y) return source;
  return {copy.x, source.first + copy.x_start * copy.inner, copy.x_axis * copy.inner};
}

}  // namespace

void fuse_slices(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* slice = list.find<CopyAxisOperation>(i);
    if (slice == nullptr) continue;
    const backend::AxisCopy& copy = slice->copy();
    // A part of each token's numbers, and all that its buffer has.
    if (copy.rows.factor != 1 || copy.length != copy.y_axis) continue;
    const std::size_t reader = list.only_reader(copy.y);
    const auto* rule = list.find<DeltaRuleOperation>(reader);
    if (rule == nullptr) continue;
    DeltaRuleOperation::Parameters p = rule->parameters();
    for (DeltaRuleOperation::Source* source : {&p.q, &p.k, &p.v}) {
      *source = read_in_place(*source, copy);
    }
    if (p.g == copy.y || p.beta == copy.y) continue;
    list.fuse(std::array{i, reader}, std::make_unique<DeltaRuleOperation>(p));
  }
}

}  // namespace vernal::cuda_sm86
