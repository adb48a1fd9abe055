// Mixture of experts: moe_route, moe_glu.
#include "module/node_inference.hpp"
#include "module/op_registry.hpp"
#include "module/ops/glu_attributes.hpp"

namespace vernal {
namespace {

void infer_moe_route(NodeInference& n) {
  if (!n.expect_tokens(0, 2)) return;
  const std::int64_t experts = n.shape(0)[1];
  const std::int64_t k = n.node().integer("k", 0);
  const std::int64_t groups = n.node().integer("n_group", 1);
  const std::int64_t used_groups = n.node().integer("topk_group", 1);
  n.expect_shape(1, make_shape({experts}));
  if (k > experts) n.problem("attribute \"k\": {} of {} experts", k, experts);
  if (experts % groups != 0) n.problem("n_group {} does not divide {} experts", groups, experts);
  if (used_groups > groups) n.problem("topk_group {} is more than n_group {}", used_groups, groups);
  if (groups > 1 && used_groups <= groups && k > experts / groups * used_groups) {
    n.problem("attribute \"k\": {} experts do not fit into {} groups of {}", k, used_groups,
              experts / groups);
  }
  n.result(make_shape({VERNAL_DIM_TOKENS, k}), VERNAL_ELEMENT_I32);
  n.result(make_shape({VERNAL_DIM_TOKENS, k}), VERNAL_ELEMENT_F32);
}

void infer_moe_glu(NodeInference& n) {
  check_glu_attributes(n);
  const bool tokens = n.expect_tokens(0, 2) && n.expect_tokens(1, 2);
  if (!n.expect_rank(3, 3) || !tokens) return;
  const std::int64_t experts = n.shape(3)[0];
  const std::int64_t inner = n.shape(3)[1];
  const std::int64_t outer = n.shape(0)[1];
  n.expect_shape(2, n.shape(1));
  n.expect_shape(3, make_shape({experts, inner, outer}));
  n.expect_shape(4, make_shape({experts, inner, outer}));
  n.expect_shape(5, make_shape({experts, outer, inner}));
  n.expect_shape(6, make_shape({experts, inner}));
  n.expect_shape(7, make_shape({experts, inner}));
  n.expect_shape(8, make_shape({experts, outer}));
  n.result(n.shape(0), VERNAL_ELEMENT_ACT);
}

using enum OperandKind;

constexpr OperandSpec kRouteOperands[] = {
    {.name = "r", .kind = kValue, .element = OperandElement::kF32},
    {.name = "bias", .kind = kWeight, .optional = true},
};
constexpr AttributeSpec kRouteAttributes[] = {
    {.name = "k", .type = VERNAL_ATTR_INT, .required = true, .minimum = 1},
    {.name = "score", .type = VERNAL_ATTR_STRING, .choices = "softmax|sigmoid"},
    {.name = "when", .type = VERNAL_ATTR_STRING, .choices = "before|after"},
    {.name = "renorm", .type = VERNAL_ATTR_INT, .minimum = 0, .maximum = 1},
    {.name = "scale", .type = VERNAL_ATTR_FLOAT},
    {.name = "n_group", .type = VERNAL_ATTR_INT, .minimum = 1},
    {.name = "topk_group", .type = VERNAL_ATTR_INT, .minimum = 1},
};

constexpr OperandSpec kMoeGluOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "ids", .kind = kValue, .element = OperandElement::kI32},
    {.name = "weights", .kind = kValue, .element = OperandElement::kF32},
    {.name = "Wg", .kind = kWeight},
    {.name = "Wu", .kind = kWeight},
    {.name = "Wd", .kind = kWeight},
    {.name = "bg", .kind = kWeight, .optional = true},
    {.name = "bu", .kind = kWeight, .optional = true},
    {.name = "bd", .kind = kWeight, .optional = true},
};
constexpr AttributeSpec kMoeGluAttributes[] = {
    kGluKind,
    kGluAlpha,
    kGluLimit,
    {.name = "weight_on", .type = VERNAL_ATTR_STRING, .choices = "out|in"},
};

constexpr OpSpec kExpertOps[] = {
    {"vernal.moe_route/1", 2, kRouteOperands, kRouteAttributes, 1, infer_moe_route},
    {"vernal.moe_glu/1", 2, kMoeGluOperands, kMoeGluAttributes, 1, infer_moe_glu},
};

}  // namespace

std::span<const OpSpec> expert_ops() noexcept { return kExpertOps; }

}  // namespace vernal
