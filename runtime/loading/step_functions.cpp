#include "loading/step_functions.hpp"

#include "vernal/error.hpp"

namespace vernal {
namespace {

std::uint64_t columns(const Function& function, std::uint32_t value) {
  return static_cast<std::uint64_t>(function.values.at(value).shape.last());
}

void add_input(StepFunction& out, const Function& function, const Node& node) {
  const std::string_view name = node.text("name", "");
  const std::uint64_t num_columns = columns(function, node.outputs.at(0));
  if (name == "ids") out.takes_ids = true;
  if (name == "rows") out.takes_rows = true;
  if (name == "positions") out.position_axes = static_cast<std::uint32_t>(num_columns);
  if (name == "hidden") out.hidden_input_columns = num_columns;
}

void add_output(StepFunction& out, const Function& function, const Node& node) {
  const std::string_view name = node.text("name", "");
  const bool has_all_rows = node.text("rows", "wanted") == "all";
  const std::uint64_t num_columns = columns(function, node.operands.at(0).index);
  if (name == "logits") {
    out.logits_columns = num_columns;
    out.logits_have_all_rows = has_all_rows;
  }
  if (name == "hidden" && has_all_rows) out.hidden_output_columns = num_columns;
}

}  // namespace

std::vector<StepFunction> step_functions(const Module& module) {
  std::vector<StepFunction> functions;
  for (const Function& function : module.functions) {
    StepFunction out;
    out.name = function.name;
    out.index = functions.size();
    for (const Node& node : function.nodes) {
      if (node.op == "vernal.input/1") add_input(out, function, node);
      if (node.op == "vernal.output/1") add_output(out, function, node);
    }
    functions.push_back(std::move(out));
  }
  return functions;
}

StepFunction main_function(const Module& module) {
  for (StepFunction& function : step_functions(module)) {
    if (function.name == "main") return std::move(function);
  }
  throw Error(VERNAL_INVALID_ARGUMENT, "the module has no function \"main\"");
}

}  // namespace vernal
