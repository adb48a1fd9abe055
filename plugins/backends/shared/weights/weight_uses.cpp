#include "shared/weights/weight_uses.hpp"

#include <algorithm>

namespace vernal::backend {

namespace {

void note_use(const Module& module, const Function& function, const Node& node, std::size_t operand,
              WeightUse use, WeightUses& uses) {
  switch (use) {
    case WeightUse::kNumbers:
      uses.is_read_by_number = true;
      break;
    case WeightUse::kTable:
      uses.is_looked_up = true;
      break;
    case WeightUse::kMatrix:
      uses.is_multiplied = true;
      break;
    case WeightUse::kExpertMatrices:
      uses.is_multiplied = true;
      uses.num_experts = module.weights[node.operands[operand].index].shape[0];
      uses.num_used_experts = function.values[node.operands[1].index].shape[1];
      break;
  }
}

}  // namespace

std::vector<WeightUses> find_weight_uses(
    const Module& module, const std::function<WeightUse(const Node&, std::size_t)>& use_of) {
  std::vector<WeightUses> uses(module.weights.size());
  for (const Function& function : module.functions) {
    for (const Node& node : function.nodes) {
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        if (node.operands[i].kind != VERNAL_OPERAND_WEIGHT) continue;
        note_use(module, function, node, i, use_of(node, i), uses[node.operands[i].index]);
      }
    }
  }
  return uses;
}

std::string name_pattern(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t end = std::min(name.find('.', i), name.size());
    const std::string part = name.substr(i, end - i);
    const bool is_number =
        !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    out += is_number ? "*" : part;
    if (end < name.size()) out += '.';
    i = end + 1;
  }
  return out;
}

}  // namespace vernal::backend
