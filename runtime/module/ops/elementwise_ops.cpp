// add, mul, scale, act, glu, softcap.
#include <algorithm>

#include "module/node_inference.hpp"
#include "module/op_registry.hpp"
#include "module/ops/glu_attributes.hpp"

namespace vernal {
namespace {

/// Dimension `i` of a shape padded with 1 on the left to `rank`.
std::int64_t padded(const Shape& shape, std::uint32_t rank, std::uint32_t i) {
  const std::uint32_t padding = rank - shape.rank;
  return i < padding ? 1 : shape[i - padding];
}

void infer_broadcast(NodeInference& n) {
  if (!n.is_value(0) && !n.is_value(1)) {
    n.problem("{} and {}: expected at least one value, found two weights", n.describe(0),
              n.describe(1));
    return;
  }
  const Shape& a = n.shape(0);
  const Shape& b = n.shape(1);
  Shape shape;
  shape.rank = std::max(a.rank, b.rank);
  for (std::uint32_t i = 0; i < shape.rank; ++i) {
    const std::int64_t left = padded(a, shape.rank, i);
    const std::int64_t right = padded(b, shape.rank, i);
    if (left != right && left != 1 && right != 1) {
      n.problem("{} and {}: dimensions {} and {} are neither equal nor 1", n.describe(0),
                n.describe(1), dim_text(left), dim_text(right));
      return;
    }
    shape.dims[i] = left == 1 ? right : left;
  }
  n.result(shape, n.promoted_element(2));
}

void infer_same(NodeInference& n) { n.result(n.shape(0), n.element(0)); }

void infer_glu(NodeInference& n) {
  check_glu_attributes(n);
  n.expect_shape(1, n.shape(0));
  n.result(n.shape(0), n.promoted_element(2));
}

using enum OperandKind;

constexpr OperandSpec kTwo[] = {{.name = "a", .kind = kValueOrWeight},
                                {.name = "b", .kind = kValueOrWeight}};
constexpr OperandSpec kOneOperand[] = {{.name = "x", .kind = kValue}};
constexpr OperandSpec kGluOperands[] = {{.name = "gate", .kind = kValue},
                                        {.name = "up", .kind = kValue}};
constexpr AttributeSpec kScaleAttributes[] = {
    {.name = "scale", .type = VERNAL_ATTR_FLOAT, .required = true}};
constexpr AttributeSpec kActAttributes[] = {
    {.name = "kind",
     .type = VERNAL_ATTR_STRING,
     .required = true,
     .choices = "silu|gelu_tanh|gelu_erf|relu|relu2|sigmoid|softplus|tanh|exp"}};
constexpr AttributeSpec kGluAttributes[] = {kGluKind, kGluAlpha, kGluLimit};
constexpr AttributeSpec kSoftcapAttributes[] = {
    {.name = "c", .type = VERNAL_ATTR_FLOAT, .required = true, .minimum = 1e-30}};

constexpr OpSpec kElementwiseOps[] = {
    {"vernal.add/1", 0, kTwo, {}, 1, infer_broadcast},
    {"vernal.mul/1", 0, kTwo, {}, 1, infer_broadcast},
    {"vernal.scale/1", 0, kOneOperand, kScaleAttributes, 1, infer_same},
    {"vernal.act/1", 0, kOneOperand, kActAttributes, 1, infer_same},
    {"vernal.glu/1", 0, kGluOperands, kGluAttributes, 1, infer_glu},
    {"vernal.softcap/1", 0, kOneOperand, kSoftcapAttributes, 1, infer_same},
};

}  // namespace

std::span<const OpSpec> elementwise_ops() noexcept { return kElementwiseOps; }

}  // namespace vernal
