// vernal_builder_api over a ModuleBuilder.
#include <algorithm>

#include "module/builder.hpp"
#include "module/status_guard.hpp"
#include "vernal/tables.hpp"

namespace vernal {
namespace {

ModuleBuilder& self(vernal_builder* builder) { return *reinterpret_cast<ModuleBuilder*>(builder); }

/// Runs a call that has no result of its own.
template <class Call>
std::int32_t act(Call&& call) noexcept {
  return status_guard([&] {
    call();
    return VERNAL_OK;
  });
}

/// The most operands, attributes and results of a node, and the most elements of an attribute. It
/// is far above what any operation has; a count beyond it is a mistake and nothing is read.
constexpr std::uint64_t kMostParts = 4096;

void require(bool condition, const char* what) {
  if (!condition) throw Error(VERNAL_INVALID_ARGUMENT, what);
}

std::int32_t begin_function(vernal_builder* b, vernal_str name) noexcept {
  return act([&] { self(b).begin_function(view(name)); });
}
std::int32_t end_function(vernal_builder* b) noexcept {
  return act([&] { self(b).end_function(); });
}
std::int32_t push_scope(vernal_builder* b, vernal_str name) noexcept {
  return act([&] { self(b).push_scope(view(name)); });
}
std::int32_t pop_scope(vernal_builder* b) noexcept {
  return act([&] { self(b).pop_scope(); });
}

std::int32_t weight(vernal_builder* b, vernal_str name, const std::int64_t* dims,
                    std::uint32_t rank, vernal_operand* out) noexcept {
  return act([&] { *out = self(b).weight(view(name), detail::read_shape(dims, rank)); });
}

std::int32_t state(vernal_builder* b, const vernal_state_desc* desc, vernal_operand* out) noexcept {
  return act([&] {
    require(desc != nullptr, "state: no description");
    *out = self(b).state(copy_in(desc));
  });
}

Node read_call(vernal_str op, const vernal_operand* operands, std::uint64_t num_operands,
               const vernal_attr* attrs, std::uint64_t num_attrs, std::uint64_t attr_stride) {
  Node node;
  node.op = view(op);
  node.operands.assign(operands, operands + num_operands);
  for (std::uint64_t i = 0; i < num_attrs; ++i) {
    const vernal_attr attr = element_at(attrs, attr_stride, i);
    require(attr.count <= kMostParts, "add_op: an attribute has too many elements");
    Attribute attribute = detail::read_attribute(attr);
    if (attribute.type != VERNAL_ATTR_INT) attribute.integer = 0;
    if (attribute.type != VERNAL_ATTR_FLOAT) attribute.number = 0;
    if (attribute.type != VERNAL_ATTR_STRING) attribute.text.clear();
    node.attributes.push_back(std::move(attribute));
  }
  return node;
}

// NOLINTNEXTLINE(readability-function-size): the interface fixes the parameters
std::int32_t add_op(vernal_builder* b, vernal_str op, vernal_str name,
                    const vernal_operand* operands, std::uint64_t num_operands,
                    const vernal_attr* attrs, std::uint64_t num_attrs, std::uint64_t attr_stride,
                    vernal_operand* outputs, std::uint64_t num_outputs) noexcept {
  return act([&] {
    require(num_operands <= kMostParts && num_attrs <= kMostParts && num_outputs <= kMostParts,
            "add_op: too many operands, attributes or results");
    Node node = read_call(op, operands, num_operands, attrs, num_attrs, attr_stride);
    const auto results = self(b).add_op(std::move(node), view(name), num_outputs);
    std::copy(results.begin(), results.end(), outputs);
  });
}

std::int32_t value(vernal_builder* b, vernal_operand operand, vernal_value_view* out) noexcept {
  return act([&] {
    const Value& found = self(b).value(operand);
    vernal_value_view mine{};
    std::copy(found.shape.dims.begin(), found.shape.dims.end(), mine.dims);
    mine.rank = found.shape.rank;
    mine.element = found.element;
    copy_out(mine, out);
  });
}

std::int32_t hint(vernal_builder* b, vernal_str key, vernal_str text) noexcept {
  return act([&] { self(b).hint(view(key), view(text)); });
}

constexpr vernal_builder_api kBuilderTable = {sizeof(vernal_builder_api),
                                              begin_function,
                                              end_function,
                                              push_scope,
                                              pop_scope,
                                              weight,
                                              state,
                                              add_op,
                                              value,
                                              hint};

}  // namespace

vernal_builder_ref ModuleBuilder::ref() noexcept {
  return {&kBuilderTable, reinterpret_cast<vernal_builder*>(this)};
}

}  // namespace vernal
