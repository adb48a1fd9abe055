#include "module_change.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace zoo {
namespace {

const vernal_module_api* true_api = nullptr;
const vernal_module* module_read = nullptr;
vernal_module_api read_api;
void (*change_of_node)(ReadNode&) = nullptr;
void (*change_of_windows)(vernal_state_desc&, std::vector<std::int64_t>) = nullptr;

vernal_module_ref reread(vernal_module_ref module) {
  if (module.api != &read_api) true_api = module.api;
  module_read = module.module;
  return {&read_api, module.module};
}

std::string_view text_of(vernal_str text) { return {text.data, text.size}; }

/// Changed nodes live as long as the plugin: their views point to them.
ReadNode& kept(const vernal_module* module, std::uint64_t function, std::uint64_t index) {
  static std::map<std::pair<std::uint64_t, std::uint64_t>, ReadNode> nodes;
  static const vernal_module* of = nullptr;
  if (of != module) nodes.clear();
  of = module;
  return nodes[{function, index}];
}

std::int32_t changed_node(const vernal_module* module, std::uint64_t function, std::uint64_t index,
                          vernal_node_view* out) {
  const std::int32_t status = true_api->node(module, function, index, out);
  if (status != VERNAL_OK) return status;
  ReadNode& node = kept(module, function, index);
  node.op = text_of(out->op);
  node.function = function;
  node.index = index;
  node.operands.assign(out->operands, out->operands + out->num_operands);
  node.attrs.clear();
  for (std::uint64_t i = 0; i < out->num_attrs; ++i) {
    node.attrs.push_back(vernal::element_at(out->attrs, out->attr_stride, i));
  }
  change_of_node(node);
  out->operands = node.operands.data();
  out->num_operands = node.operands.size();
  out->attrs = node.attrs.data();
  out->num_attrs = node.attrs.size();
  out->attr_stride = sizeof(vernal_attr);
  return VERNAL_OK;
}

std::int32_t changed_state(const vernal_module* module, std::uint64_t index,
                           vernal_state_desc* out) {
  const std::int32_t status = true_api->state(module, index, out);
  if (status != VERNAL_OK || out->kind != VERNAL_STATE_KV) return status;
  std::vector<std::int64_t> windows;
  vernal_state_desc other{};
  other.struct_size = sizeof(other);
  for (std::uint64_t i = 0; true_api->state(module, i, &other) == VERNAL_OK; ++i) {
    if (other.window > 0) windows.push_back(other.window);
    other = {};
    other.struct_size = sizeof(other);
  }
  change_of_windows(*out, std::move(windows));
  return VERNAL_OK;
}

}  // namespace

vernal_attr* ReadNode::find(std::string_view name) {
  const auto found = std::ranges::find_if(
      attrs, [&](const vernal_attr& attr) { return text_of(attr.name) == name; });
  return found == attrs.end() ? nullptr : &*found;
}

std::string_view ReadNode::text(std::string_view name) {
  const vernal_attr* attr = find(name);
  return attr == nullptr ? std::string_view() : text_of(attr->text);
}

void ReadNode::drop(std::string_view name) {
  std::erase_if(attrs, [&](const vernal_attr& attr) { return text_of(attr.name) == name; });
}

std::vector<std::int64_t> ReadNode::shape(std::size_t index) const {
  vernal_value_view value{};
  value.struct_size = sizeof(value);
  true_api->value(module_read, function, operands[index].index, &value);
  return {value.dims, value.dims + value.rank};
}

const vernal_module_api& true_module() { return *true_api; }
const vernal_module* read_module() { return module_read; }

void read_wrongly(Tables& t, void (*change)(vernal_module_api&)) {
  read_api = {
      sizeof(read_api),
      [](const vernal_module* m, vernal_module_info* out) { return true_api->info(m, out); },
      [](const vernal_module* m, std::uint64_t i, vernal_function_view* out) {
        return true_api->function(m, i, out);
      },
      [](const vernal_module* m, std::uint64_t f, std::uint64_t i, vernal_node_view* out) {
        return true_api->node(m, f, i, out);
      },
      [](const vernal_module* m, std::uint64_t f, std::uint64_t i, vernal_value_view* out) {
        return true_api->value(m, f, i, out);
      },
      [](const vernal_module* m, std::uint64_t i, vernal_weight_view* out) {
        return true_api->weight(m, i, out);
      },
      [](const vernal_module* m, std::uint64_t i, vernal_state_desc* out) {
        return true_api->state(m, i, out);
      },
      [](const vernal_module* m, const vernal_sink* sink) { return true_api->dump(m, sink); }};
  change(read_api);
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) {
    return sound().backend.plan(backend, reread(module), options, out);
  };
  t.backend.op_support = [](vernal_backend* backend, vernal_module_ref module,
                            std::uint64_t function, std::uint64_t node, vernal_op_support* out,
                            const vernal_sink* reason) {
    return sound().backend.op_support(backend, reread(module), function, node, out, reason);
  };
}

void change_nodes(Tables& t, void (*change)(ReadNode&)) {
  change_of_node = change;
  read_wrongly(t, [](vernal_module_api& api) { api.node = changed_node; });
}

void change_windows(Tables& t,
                    void (*change)(vernal_state_desc&, std::vector<std::int64_t> windows)) {
  change_of_windows = change;
  read_wrongly(t, [](vernal_module_api& api) { api.state = changed_state; });
}

}  // namespace zoo
