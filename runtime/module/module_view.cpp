#include "module/module_view.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "module/printer.hpp"
#include "module/status_guard.hpp"

namespace vernal {
namespace {

const ModuleView& self(const vernal_module* module) {
  return *reinterpret_cast<const ModuleView*>(module);
}

/// Element `index` of a list.
/// Errors   NOT_FOUND: the index is out of range
template <class T>
const T& at(const std::vector<T>& list, std::uint64_t index) {
  if (index >= list.size()) throw Error(VERNAL_NOT_FOUND, "index out of range");
  return list[index];
}

std::int32_t info(const vernal_module* m, vernal_module_info* out) noexcept {
  return status_guard([&] {
    const Module& module = self(m).module();
    vernal_module_info mine{};
    mine.architecture = to_str(module.architecture);
    mine.num_functions = module.functions.size();
    mine.num_weights = module.weights.size();
    mine.num_states = module.states.size();
    std::copy(module.fingerprint.begin(), module.fingerprint.end(), mine.fingerprint);
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t function(const vernal_module* m, std::uint64_t index,
                      vernal_function_view* out) noexcept {
  return status_guard([&] {
    const Function& source = at(self(m).module().functions, index);
    vernal_function_view mine{};
    mine.name = to_str(source.name);
    mine.num_nodes = source.nodes.size();
    mine.num_values = source.values.size();
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t node(const vernal_module* m, std::uint64_t function_index, std::uint64_t index,
                  vernal_node_view* out) noexcept {
  return status_guard([&] {
    const Node& source = at(at(self(m).module().functions, function_index).nodes, index);
    const auto& attributes = self(m).attributes(function_index, index);
    vernal_node_view mine{};
    mine.op = to_str(source.op);
    mine.path = to_str(source.path);
    mine.operands = source.operands.data();
    mine.num_operands = source.operands.size();
    mine.outputs = source.outputs.data();
    mine.num_outputs = source.outputs.size();
    mine.attrs = attributes.data();
    mine.num_attrs = attributes.size();
    mine.attr_stride = sizeof(vernal_attr);
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t value(const vernal_module* m, std::uint64_t function_index, std::uint64_t index,
                   vernal_value_view* out) noexcept {
  return status_guard([&] {
    const Value& source = at(at(self(m).module().functions, function_index).values, index);
    vernal_value_view mine{};
    std::copy(source.shape.dims.begin(), source.shape.dims.end(), mine.dims);
    mine.rank = source.shape.rank;
    mine.element = source.element;
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t weight(const vernal_module* m, std::uint64_t index, vernal_weight_view* out) noexcept {
  return status_guard([&] {
    const Weight& source = at(self(m).module().weights, index);
    vernal_weight_view mine{};
    mine.name = to_str(source.name);
    mine.format = to_str(source.format);
    std::copy(source.shape.dims.begin(), source.shape.dims.end(), mine.dims);
    mine.bytes = source.bytes;
    mine.num_uses = source.num_uses;
    mine.rank = source.shape.rank;
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t state(const vernal_module* m, std::uint64_t index, vernal_state_desc* out) noexcept {
  return status_guard([&] {
    const State& source = at(self(m).module().states, index);
    vernal_state_desc mine{};
    mine.name = to_str(source.name);
    mine.layer = source.layer;
    mine.num_heads = source.num_heads;
    mine.key_dim = source.key_dim;
    mine.value_dim = source.value_dim;
    mine.channels = source.channels;
    mine.width = source.width;
    mine.window = source.window;
    mine.kind = source.kind;
    mine.function = source.function;
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

std::int32_t dump(const vernal_module* m, const vernal_sink* sink) noexcept {
  return status_guard([&]() -> std::int32_t {
    if (sink == nullptr || sink->write == nullptr) return VERNAL_INVALID_ARGUMENT;
    const std::string text = dump_module(self(m).module());
    return sink->write(sink->user, text.data(), text.size());
  });
}

constexpr vernal_module_api kModuleTable = {
    sizeof(vernal_module_api), info, function, node, value, weight, state, dump};

vernal_attr to_abi(const Attribute& attribute) {
  vernal_attr out{};
  out.struct_size = sizeof(out);
  out.name = to_str(attribute.name);
  out.text = to_str(attribute.text);
  out.integers = attribute.integers.data();
  out.numbers = attribute.numbers.data();
  out.count =
      attribute.type == VERNAL_ATTR_INTS ? attribute.integers.size() : attribute.numbers.size();
  out.integer = attribute.integer;
  out.number = attribute.number;
  out.type = attribute.type;
  return out;
}

}  // namespace

ModuleView::ModuleView(std::shared_ptr<const Module> module) : module_(std::move(module)) {
  for (const Function& source : module_->functions) {
    auto& nodes = attributes_.emplace_back();
    for (const Node& from : source.nodes) {
      auto& attributes = nodes.emplace_back();
      for (const Attribute& attribute : from.attributes) attributes.push_back(to_abi(attribute));
    }
  }
}

vernal_module_ref ModuleView::ref() const noexcept {
  return {&kModuleTable, reinterpret_cast<const vernal_module*>(this)};
}

}  // namespace vernal
