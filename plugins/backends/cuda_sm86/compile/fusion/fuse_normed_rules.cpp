#include <array>

#include "compile/fusion/fusion.hpp"
#include "operations/delta_rule.hpp"

namespace vernal::cuda_sm86 {

void fuse_normed_rules(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* rule = list.find<DeltaRuleOperation>(i);
    if (rule == nullptr) continue;
    const std::size_t reader = list.only_reader(rule->parameters().y);
    const auto* norm = list.find<NormOperation>(reader);
    if (norm == nullptr ||
        !NormedDeltaRuleOperation::can_be(rule->parameters(), norm->parameters())) {
      continue;
    }
    list.fuse(std::array{i, reader},
              std::make_unique<NormedDeltaRuleOperation>(rule->parameters(), norm->parameters()));
  }
}

}  // namespace vernal::cuda_sm86
