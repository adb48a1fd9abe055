// The module as plain C++ values. A backend reads it once before it plans; the core stores it.
// abi/module.h says what each field means.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/module.h"
#include "vernal/error.hpp"
#include "vernal/tables.hpp"

namespace vernal {

/// Row-major dimensions, dims[0] slowest. An entry may be VERNAL_DIM_*.
struct Shape {
  std::array<std::int64_t, VERNAL_MAX_RANK> dims{};
  std::uint32_t rank = 0;

  std::int64_t operator[](std::uint32_t i) const { return dims[i]; }
  /// The last dimension; 1 for a shape without dimensions.
  std::int64_t last() const { return rank == 0 ? 1 : dims[rank - 1]; }
  /// The number of vectors along the last dimension. For static shapes only, such as a weight's.
  std::int64_t num_rows() const {
    std::int64_t rows = 1;
    for (std::uint32_t i = 0; i + 1 < rank; ++i) rows *= dims[i];
    return rows;
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Attribute {
  std::string name;
  std::uint32_t type = 0;  // VERNAL_ATTR_*
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<std::int64_t> integers;
  std::vector<double> numbers;
};

struct Node {
  std::string op;    // "vernal.linear/1"
  std::string path;  // "blk.12.attn.q"
  std::vector<vernal_operand> operands;
  std::vector<std::uint32_t> outputs;  // value indices
  std::vector<Attribute> attributes;

  /// The attribute of that name, or null. It lives as long as the node.
  const Attribute* find(std::string_view name) const {
    for (const Attribute& attribute : attributes) {
      if (attribute.name == name) return &attribute;
    }
    return nullptr;
  }
  /// The value of an attribute; `fallback` if it is absent or has another type. An INT is also a
  /// number.
  std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    const Attribute* a = find(name);
    return a != nullptr && a->type == VERNAL_ATTR_INT ? a->integer : fallback;
  }
  double number(std::string_view name, double fallback) const {
    const Attribute* a = find(name);
    if (a == nullptr) return fallback;
    if (a->type == VERNAL_ATTR_INT) return static_cast<double>(a->integer);
    return a->type == VERNAL_ATTR_FLOAT ? a->number : fallback;
  }
  std::string_view text(std::string_view name, std::string_view fallback) const {
    const Attribute* a = find(name);
    return a != nullptr && a->type == VERNAL_ATTR_STRING ? std::string_view(a->text) : fallback;
  }
  /// Operand `i`; kind NONE if it is absent.
  vernal_operand operand(std::size_t i) const {
    return i < operands.size() ? operands[i] : vernal_operand{VERNAL_OPERAND_NONE, 0};
  }
};

/// The reason why a backend that understands the attributes `known` of this operation must refuse
/// the node: an attribute it does not know. nullopt if there is none. A hint, an attribute whose
/// name begins with "hint:", never changes results and is no reason.
inline std::optional<std::string> attribute_refusal(const Node& node,
                                                    std::span<const std::string_view> known) {
  for (const Attribute& attribute : node.attributes) {
    const std::string_view name = attribute.name;
    if (name.starts_with("hint:") || std::ranges::find(known, name) != known.end()) continue;
    return "attribute \"" + attribute.name + "\" of " + node.op + " is not known here";
  }
  return std::nullopt;
}

struct Value {
  Shape shape;
  std::uint32_t element = VERNAL_ELEMENT_ACT;
};

struct Function {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Value> values;
};

struct Weight {
  std::string name;
  std::string format;
  Shape shape;  // logical, row-major
  std::uint64_t bytes = 0;
  std::uint64_t num_uses = 0;
};

struct State {
  std::string name;
  std::uint32_t kind = 0;  // VERNAL_STATE_*
  std::uint32_t function = 0;
  std::int64_t layer = 0;
  std::int64_t num_heads = 0;
  std::int64_t key_dim = 0;
  std::int64_t value_dim = 0;
  std::int64_t channels = 0;
  std::int64_t width = 0;
  std::int64_t window = 0;
};

struct Module {
  std::string architecture;
  std::vector<Function> functions;
  std::vector<Weight> weights;
  std::vector<State> states;
  std::array<std::uint8_t, 32> fingerprint{};
};

namespace detail {

inline void require_ok(std::int32_t status, const char* what) {
  if (status != VERNAL_OK) throw Error(status, std::string("reading the module: ") + what);
}

inline Attribute read_attribute(const vernal_attr& attr) {
  Attribute out;
  out.name = view(attr.name);
  out.type = attr.type;
  out.integer = attr.integer;
  out.number = attr.number;
  out.text = view(attr.text);
  if (attr.type == VERNAL_ATTR_INTS) out.integers.assign(attr.integers, attr.integers + attr.count);
  if (attr.type == VERNAL_ATTR_FLOATS) out.numbers.assign(attr.numbers, attr.numbers + attr.count);
  return out;
}

inline Shape read_shape(const std::int64_t* dims, std::uint32_t rank) {
  if (rank > VERNAL_MAX_RANK)
    throw Error(VERNAL_INVALID_ARGUMENT, "a shape has more than 4 dimensions");
  Shape shape;
  shape.rank = rank;
  for (std::uint32_t i = 0; i < rank; ++i) shape.dims[i] = dims[i];
  return shape;
}

inline Node read_node(const vernal_node_view& source) {
  Node node;
  node.op = view(source.op);
  node.path = view(source.path);
  node.operands.assign(source.operands, source.operands + source.num_operands);
  node.outputs.assign(source.outputs, source.outputs + source.num_outputs);
  for (std::uint64_t i = 0; i < source.num_attrs; ++i) {
    node.attributes.push_back(read_attribute(element_at(source.attrs, source.attr_stride, i)));
  }
  return node;
}

inline Function read_function(const vernal_module_api& api, const vernal_module* module,
                              std::uint64_t index) {
  vernal_function_view source{};
  source.struct_size = sizeof(source);
  require_ok(api.function(module, index, &source), "function");
  Function function;
  function.name = view(source.name);
  for (std::uint64_t i = 0; i < source.num_nodes; ++i) {
    vernal_node_view node{};
    node.struct_size = sizeof(node);
    require_ok(api.node(module, index, i, &node), "node");
    function.nodes.push_back(read_node(node));
  }
  for (std::uint64_t i = 0; i < source.num_values; ++i) {
    vernal_value_view value{};
    value.struct_size = sizeof(value);
    require_ok(api.value(module, index, i, &value), "value");
    function.values.push_back({read_shape(value.dims, value.rank), value.element});
  }
  return function;
}

}  // namespace detail

/// Copies a module out of the interface. Control thread.
/// Errors   the status of the accessor that failed
inline Module read_module(vernal_module_ref ref) {
  const vernal_module_api api = adopt_table(ref.api, "vernal_module_api");
  vernal_module_info info{};
  info.struct_size = sizeof(info);
  detail::require_ok(api.info(ref.module, &info), "info");
  Module module;
  module.architecture = view(info.architecture);
  std::memcpy(module.fingerprint.data(), info.fingerprint, sizeof(info.fingerprint));
  for (std::uint64_t i = 0; i < info.num_functions; ++i) {
    module.functions.push_back(detail::read_function(api, ref.module, i));
  }
  for (std::uint64_t i = 0; i < info.num_weights; ++i) {
    vernal_weight_view w{};
    w.struct_size = sizeof(w);
    detail::require_ok(api.weight(ref.module, i, &w), "weight");
    module.weights.push_back({std::string(view(w.name)), std::string(view(w.format)),
                              detail::read_shape(w.dims, w.rank), w.bytes, w.num_uses});
  }
  for (std::uint64_t i = 0; i < info.num_states; ++i) {
    vernal_state_desc s{};
    s.struct_size = sizeof(s);
    detail::require_ok(api.state(ref.module, i, &s), "state");
    module.states.push_back({std::string(view(s.name)), s.kind, s.function, s.layer, s.num_heads,
                             s.key_dim, s.value_dim, s.channels, s.width, s.window});
  }
  return module;
}

}  // namespace vernal
