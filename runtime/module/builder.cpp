#include "module/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "module/node_inference.hpp"
#include "module/printer.hpp"
#include "module/verifier.hpp"
#include "vernal/metadata.hpp"

namespace vernal {
namespace {

/// Whether a name is printable ASCII without spaces: it becomes a part of paths, dumps and log
/// lines.
bool is_plain_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// The shape without leading dimensions of 1: a file may store [D] as [1, D].
Shape without_leading_ones(const Shape& shape) {
  Shape out;
  for (std::uint32_t i = 0; i < shape.rank; ++i) {
    if (out.rank > 0 || shape[i] != 1) out.dims[out.rank++] = shape[i];
  }
  return out;
}

}  // namespace

ModuleBuilder::ModuleBuilder(std::string architecture, const WeightDirectory& weights)
    : weights_(weights) {
  module_.architecture = std::move(architecture);
}

Function* ModuleBuilder::current() { return in_function_ ? &module_.functions.back() : nullptr; }

std::string ModuleBuilder::scope_path() const {
  return scopes_.empty() ? "module" : fmt::format("{}", fmt::join(scopes_, "."));
}

void ModuleBuilder::problem(std::string text) { problem(scope_path(), std::move(text)); }
void ModuleBuilder::problem(std::string path, std::string text) {
  problems_.push_back({std::move(path), std::move(text)});
}

void ModuleBuilder::begin_function(std::string_view name) {
  if (in_function_) problem("begin_function within a function");
  if (!is_plain_name(name)) problem("a function's name is empty or not printable");
  module_.functions.push_back({std::string(name), {}, {}});
  paths_.clear();
  in_function_ = true;
}

void ModuleBuilder::end_function() {
  if (!in_function_) problem("end_function without begin_function");
  in_function_ = false;
}

void ModuleBuilder::push_scope(std::string_view name) {
  if (!is_plain_name(name)) problem("a scope's name is empty or not printable");
  scopes_.emplace_back(name);
}

void ModuleBuilder::pop_scope() {
  if (scopes_.empty()) {
    problem("pop_scope without push_scope");
  } else {
    scopes_.pop_back();
  }
}

vernal_operand ModuleBuilder::weight(std::string_view name, const Shape& shape) {
  const auto path = [&] { return fmt::format("weight \"{}\"", name); };
  const auto known = weight_index_.find(name);
  if (known != weight_index_.end()) {
    const Shape& declared = module_.weights[known->second].shape;
    if (!(declared == shape)) {
      problem(path(),
              fmt::format("declared as {} and as {}", shape_text(declared), shape_text(shape)));
    }
    return {VERNAL_OPERAND_WEIGHT, known->second};
  }
  Weight weight{std::string(name), {}, shape, 0, 0};
  constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;
  const bool sane =
      shape.rank >= 1 && std::all_of(shape.dims.begin(), shape.dims.begin() + shape.rank,
                                     [&](std::int64_t d) { return d >= 1 && d <= kMost; });
  const StoredWeight* stored = weights_.find(name);
  if (!sane) {
    problem(path(), fmt::format("declared shape {} is impossible", shape_text(shape)));
  } else if (stored == nullptr) {
    problem(path(), fmt::format("missing in the model file; expected {}", shape_text(shape)));
  } else if (!(without_leading_ones(stored->shape) == without_leading_ones(shape))) {
    problem(path(), fmt::format("expected {}, found {} in the model file", shape_text(shape),
                                shape_text(stored->shape)));
  }
  if (stored != nullptr) {
    weight.format = stored->format;
    weight.bytes = stored->bytes;
  }
  const auto index = static_cast<std::uint32_t>(module_.weights.size());
  weight_index_.emplace(weight.name, index);
  module_.weights.push_back(std::move(weight));
  return {VERNAL_OPERAND_WEIGHT, index};
}

vernal_operand ModuleBuilder::state(const vernal_state_desc& desc) {
  if (current() == nullptr) {
    problem("state declared outside a function");
    return {VERNAL_OPERAND_NONE, 0};
  }
  const auto index = static_cast<std::uint32_t>(module_.states.size());
  const auto function = static_cast<std::uint32_t>(module_.functions.size() - 1);
  module_.states.push_back({std::string(view(desc.name)), desc.kind, function, desc.layer,
                            desc.num_heads, desc.key_dim, desc.value_dim, desc.channels, desc.width,
                            desc.window});
  return {VERNAL_OPERAND_STATE, index};
}

std::string ModuleBuilder::node_path(std::string_view name) {
  const std::string_view plain = is_plain_name(name) ? name : std::string_view("node");
  std::string path =
      scopes_.empty() ? std::string(plain) : fmt::format("{}.{}", scope_path(), plain);
  const std::uint32_t times = ++paths_[path];
  return times == 1 ? path : fmt::format("{}.{}", path, times);
}

std::vector<vernal_operand> ModuleBuilder::add_op(Node node, std::string_view name,
                                                  std::uint64_t num_outputs) {
  Function* function = current();
  if (function == nullptr) {
    problem(fmt::format("{} outside a function", node.op));
    return std::vector<vernal_operand>(num_outputs, vernal_operand{VERNAL_OPERAND_NONE, 0});
  }
  node.path = node_path(name);
  for (const Attribute& attribute : node.attributes) {
    if (!is_plain_name(attribute.name)) problem(node.path, "an attribute's name is not printable");
  }
  NodeInference inference(module_, *function, node);
  inference.run();
  problems_.insert(problems_.end(), inference.problems().begin(), inference.problems().end());

  std::vector<Value> results = inference.results();
  const bool known =
      inference.problems().empty() && (!results.empty() || node.op == "vernal.output/1");
  if (known && results.size() != num_outputs) {
    problem(node.path, fmt::format("{} gives {} results, the architecture takes {}", node.op,
                                   results.size(), num_outputs));
  }
  if (results.size() != num_outputs) results.assign(num_outputs, kUnknownValue);

  std::vector<vernal_operand> outputs;
  for (const Value& result : results) {
    const auto index = static_cast<std::uint32_t>(function->values.size());
    function->values.push_back(result);
    node.outputs.push_back(index);
    outputs.push_back({VERNAL_OPERAND_VALUE, index});
  }
  function->nodes.push_back(std::move(node));
  return outputs;
}

const Value& ModuleBuilder::value(vernal_operand operand) const {
  const bool exists = in_function_ && operand.kind == VERNAL_OPERAND_VALUE &&
                      operand.index < module_.functions.back().values.size();
  if (!exists) throw Error(VERNAL_INVALID_ARGUMENT, "not a value of the current function");
  const Value& value = module_.functions.back().values[operand.index];
  if (!is_known(value)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "an earlier problem left the value unknown");
  }
  return value;
}

void ModuleBuilder::hint(std::string_view key, std::string_view value) {
  const bool taken = std::any_of(hints_.begin(), hints_.end(), [&](const Hint& hint) {
    return hint.key == key && hint.value == value;
  });
  if (!is_plain_name(key)) problem("a hint's key is empty or not printable");
  if (!taken) hints_.push_back({std::string(key), std::string(value)});
}

Module ModuleBuilder::finish() {
  if (in_function_) problem("a function is not ended");
  if (!scopes_.empty()) problem("a scope is not popped");
  count_weight_uses(module_);
  const std::vector<Problem> structure = verify_structure(module_);
  problems_.insert(problems_.end(), structure.begin(), structure.end());
  if (problems_.empty()) module_.fingerprint = fingerprint_module(module_);
  return std::move(module_);
}

}  // namespace vernal
