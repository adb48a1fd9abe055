// linear and the norms over the last dimension: rmsnorm, l2norm.
#include "module/node_inference.hpp"
#include "module/op_registry.hpp"

namespace vernal {
namespace {

void infer_linear(NodeInference& n) {
  if (!n.expect_rank(1, 2)) return;
  const Shape& w = n.shape(1);
  Shape shape = n.shape(0);
  if (shape.rank == 0 || shape.last() != w[1]) {
    n.problem("{} and {}: expected equal last dimensions", n.describe(0), n.describe(1));
    return;
  }
  n.expect_shape(2, make_shape({w[0]}));
  shape.dims[shape.rank - 1] = w[0];
  n.result(shape, n.out_element());
}

void infer_norm(NodeInference& n) {
  if (n.shape(0).last() < 0) {
    n.problem("{}: the last dimension is known at a step only", n.describe(0));
    return;
  }
  n.expect_shape(1, make_shape({n.shape(0).last()}));
  n.result(n.shape(0), n.out_element());
}

using enum OperandKind;

constexpr OperandSpec kLinearOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "w", .kind = kWeight},
    {.name = "bias", .kind = kWeight, .optional = true},
};
constexpr OperandSpec kRmsnormOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "w", .kind = kWeight, .optional = true},
};
constexpr OperandSpec kL2normOperands[] = {{.name = "x", .kind = kValue}};

constexpr AttributeSpec kOut = {.name = "out", .type = VERNAL_ATTR_STRING, .choices = "act|f32"};
constexpr AttributeSpec kLinearAttributes[] = {kOut};
constexpr AttributeSpec kNormAttributes[] = {
    {.name = "eps", .type = VERNAL_ATTR_FLOAT, .required = true, .minimum = 0}, kOut};

constexpr OpSpec kLinearOps[] = {
    {"vernal.linear/1", 0, kLinearOperands, kLinearAttributes, 1, infer_linear},
    {"vernal.rmsnorm/1", 0, kRmsnormOperands, kNormAttributes, 1, infer_norm},
    {"vernal.l2norm/1", 1, kL2normOperands, kNormAttributes, 1, infer_norm},
};

}  // namespace

std::span<const OpSpec> linear_ops() noexcept { return kLinearOps; }

}  // namespace vernal
