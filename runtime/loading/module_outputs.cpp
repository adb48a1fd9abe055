#include "loading/module_outputs.hpp"

#include <fmt/format.h>

#include "vernal/error.hpp"

namespace vernal {
namespace {

const Node* find_output(const Module& module, std::string_view name) {
  for (const Node& node : module.functions.at(0).nodes) {
    if (node.op == "vernal.output/1" && node.text("name", "") == name) return &node;
  }
  return nullptr;
}

}  // namespace

bool has_output(const Module& module, std::string_view name) {
  return find_output(module, name) != nullptr;
}

std::uint64_t output_columns(const Module& module, std::string_view name) {
  const Node* node = find_output(module, name);
  if (node == nullptr) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("the module has no output \"{}\"", name));
  }
  return static_cast<std::uint64_t>(
      module.functions[0].values[node->operands[0].index].shape.last());
}

}  // namespace vernal
