#include "loading/module_outputs.hpp"

#include "vernal/error.hpp"

namespace vernal {

std::uint64_t logits_columns(const Module& module) {
  for (const Node& node : module.functions.at(0).nodes) {
    if (node.op == "vernal.output/1" && node.text("name", "") == "logits") {
      const Value& value = module.functions[0].values[node.operands[0].index];
      return static_cast<std::uint64_t>(value.shape.last());
    }
  }
  throw Error(VERNAL_INVALID_ARGUMENT, "the module has no output \"logits\"");
}

}  // namespace vernal
