// Linear attention: conv1d_state, gated_delta_rule.
#include "module/node_inference.hpp"
#include "module/op_registry.hpp"

namespace vernal {
namespace {

void infer_conv1d_state(NodeInference& n) {
  const bool tokens = n.expect_tokens(0, 2);
  if (!n.expect_rank(1, 2) || !tokens) return;
  const std::int64_t channels = n.shape(0)[1];
  const std::int64_t width = n.shape(1)[1];
  n.expect_shape(1, make_shape({channels, width}));
  n.expect_shape(2, make_shape({channels}));
  const State& conv = n.state(3);
  if (conv.channels != channels || conv.width != width) {
    n.problem("{} is for {} channels and width {}, expected {} and {}", n.describe(3),
              conv.channels, conv.width, channels, width);
  }
  n.result(n.shape(0), n.element(0));
}

void infer_gated_delta_rule(NodeInference& n) {
  bool tokens = true;
  for (std::size_t i = 0; i < 3; ++i) tokens = n.expect_tokens(i, 3) && tokens;
  if (!tokens) return;
  const std::int64_t key_heads = n.shape(0)[1];
  const std::int64_t key_size = n.shape(0)[2];
  const std::int64_t heads = n.shape(2)[1];
  const std::int64_t value_size = n.shape(2)[2];
  n.expect_shape(1, n.shape(0));
  if (n.shape(3).rank != 2) {
    n.expect_shape(3, make_shape({VERNAL_DIM_TOKENS, heads, key_size}));
  } else {
    n.expect_shape(3, make_shape({VERNAL_DIM_TOKENS, heads}));
  }
  n.expect_shape(4, make_shape({VERNAL_DIM_TOKENS, heads}));
  if (heads % key_heads != 0) {
    n.problem("{} key heads do not divide {} value heads", key_heads, heads);
  }
  const State& memory = n.state(5);
  if (memory.num_heads != heads || memory.key_dim != key_size || memory.value_dim != value_size) {
    n.problem("{} holds {} heads of [{}, {}], expected {} of [{}, {}]", n.describe(5),
              memory.num_heads, memory.key_dim, memory.value_dim, heads, key_size, value_size);
  }
  n.result(n.shape(2), VERNAL_ELEMENT_ACT);
}

using enum OperandKind;

constexpr OperandSpec kConvOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "w", .kind = kWeight},
    {.name = "bias", .kind = kWeight, .optional = true},
    {.name = "conv", .kind = kState, .state_kind = VERNAL_STATE_CONV},
};
constexpr AttributeSpec kConvAttributes[] = {
    {.name = "activation", .type = VERNAL_ATTR_STRING, .choices = "none|silu"}};

constexpr OperandSpec kDeltaOperands[] = {
    {.name = "q", .kind = kValue},
    {.name = "k", .kind = kValue},
    {.name = "v", .kind = kValue},
    {.name = "g", .kind = kValue, .element = OperandElement::kF32},
    {.name = "beta", .kind = kValue, .element = OperandElement::kF32},
    {.name = "memory", .kind = kState, .state_kind = VERNAL_STATE_RECURRENT},
};
constexpr AttributeSpec kDeltaAttributes[] = {
    {.name = "scale", .type = VERNAL_ATTR_FLOAT, .required = true},
    {.name = "qk_l2norm", .type = VERNAL_ATTR_INT, .minimum = 0, .maximum = 1},
    {.name = "eps", .type = VERNAL_ATTR_FLOAT, .minimum = 0},
    {.name = "head_map", .type = VERNAL_ATTR_STRING, .required = true, .choices = "tiled|grouped"},
};

constexpr OpSpec kRecurrentOps[] = {
    {"vernal.conv1d_state/1", 1, kConvOperands, kConvAttributes, 1, infer_conv1d_state},
    {"vernal.gated_delta_rule/1", 1, kDeltaOperands, kDeltaAttributes, 1, infer_gated_delta_rule},
};

}  // namespace

std::span<const OpSpec> recurrent_ops() noexcept { return kRecurrentOps; }

}  // namespace vernal
