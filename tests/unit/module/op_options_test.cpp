// What Builder writes, op_options.hpp reads: every option, at its default and at another value.
#include "vernal/op_options.hpp"

#include "op_case.hpp"

namespace vernal::test {
namespace {

class OpOptions : public OpCase {
 protected:
  Tensor floats(const Dims& dims) { return value(dims, Element::kF32); }

  /// The node of that operation, once `result` is made an output.
  const Node& node_of(std::string_view op, Tensor result) {
    b_.output("hidden", result, "all");
    module_ = core_.finish();
    for (const Node& node : module_.functions[0].nodes) {
      if (node.op == op) return node;
    }
    throw std::logic_error("no node of " + std::string(op));
  }

  RopeOptions read_rope(const RopeOptions& written) {
    const std::int64_t axes = written.mrope == "none" ? 1 : 3;
    return rope_options(
        node_of("vernal.rope/1", b_.rope(floats({kTokens, 2, 16}), positions(axes), written)));
  }
  void expect_read(const RopeOptions& written) {
    const RopeOptions read = read_rope(written);
    EXPECT_EQ(read.n_rot, written.n_rot);
    EXPECT_EQ(read.style, written.style);
    EXPECT_EQ(read.base, written.base);
    EXPECT_EQ(read.scaling, written.scaling);
    EXPECT_EQ(read.mrope, written.mrope);
    EXPECT_EQ(read.sections, written.sections);
  }
  void expect_read(const DeltaRuleOptions& written) {
    const StateRef state = b_.state(RecurrentState{"s", 0, 4, 8, 8});
    const Tensor gates = floats({kTokens, 4});
    const Tensor keys = floats({kTokens, 2, 8});
    const Tensor out =
        b_.gated_delta_rule({keys, keys, floats({kTokens, 4, 8}), gates, gates}, state, written);
    const DeltaRuleOptions read =
        delta_rule_options(node_of("vernal.gated_delta_rule/1", b_.add(out, floats({1, 4, 8}))));
    EXPECT_EQ(read.scale, written.scale);
    EXPECT_EQ(read.qk_l2norm, written.qk_l2norm);
    EXPECT_EQ(read.eps, written.eps);
    EXPECT_EQ(read.head_map, written.head_map);
  }
  void expect_read(const RouteOptions& written) {
    const Route route = b_.moe_route(floats({kTokens, 8}), {}, written);
    const RouteOptions read = route_options(node_of("vernal.moe_route/1", route.weights));
    EXPECT_EQ(read.k, written.k);
    EXPECT_EQ(read.score, written.score);
    EXPECT_EQ(read.when, written.when);
    EXPECT_EQ(read.renorm, written.renorm);
    EXPECT_EQ(read.scale, written.scale);
    EXPECT_EQ(read.n_group, written.n_group);
    EXPECT_EQ(read.topk_group, written.topk_group);
  }

  Module module_;
};

TEST_F(OpOptions, OfRopeByDefault) { expect_read(RopeOptions{.n_rot = 8}); }

TEST_F(OpOptions, OfRopeWithYarn) {
  expect_read(RopeOptions{.n_rot = 8,
                          .style = "interleaved",
                          .base = 5e5,
                          .scaling = {.kind = "yarn",
                                      .factor = 4,
                                      .original_context_length = 4096,
                                      .beta_fast = 30,
                                      .beta_slow = 2,
                                      .extrapolation = 0.5,
                                      .magnitude = 1.25}});
}

TEST_F(OpOptions, OfRopeWithBandsAndSections) {
  expect_read(RopeOptions{.n_rot = 8,
                          .scaling = {.kind = "banded",
                                      .factor = 8,
                                      .original_context_length = 8192,
                                      .low_freq_factor = 2,
                                      .high_freq_factor = 3},
                          .mrope = "interleaved",
                          .sections = {2, 1, 1, 0}});
}

TEST_F(OpOptions, OfAttention) {
  const Tensor x = floats({kTokens, 2, 8});
  const AttentionOptions written{.scale = 0.25, .causal = false, .softcap = 30};
  const Tensor out = b_.attention(x, x, x, kv(2, 8, 8), written);
  const AttentionOptions read =
      attention_options(node_of("vernal.attention/1", b_.add(out, floats({1, 16}))));
  EXPECT_EQ(read.scale, written.scale);
  EXPECT_EQ(read.causal, written.causal);
  EXPECT_EQ(read.softcap, written.softcap);
}

TEST_F(OpOptions, OfGlu) {
  const Tensor x = floats({kTokens, 8});
  const GluOptions written{.kind = "swiglu_oai", .alpha = 1.5, .limit = 6};
  const GluOptions read = glu_options(node_of("vernal.glu/1", b_.glu(x, x, written)));
  EXPECT_EQ(read.kind, written.kind);
  EXPECT_EQ(read.alpha, written.alpha);
  EXPECT_EQ(read.limit, written.limit);
}

TEST_F(OpOptions, OfGluByDefaultWithTheNumbersThatOtherKindsDoNotWrite) {
  const Tensor x = floats({kTokens, 8});
  const GluOptions read = glu_options(node_of("vernal.glu/1", b_.glu(x, x)));
  EXPECT_EQ(read.kind, GluOptions{}.kind);
  EXPECT_EQ(read.alpha, GluOptions{}.alpha);
  EXPECT_EQ(read.limit, GluOptions{}.limit);
}

TEST_F(OpOptions, OfTheDeltaRuleByDefault) { expect_read(DeltaRuleOptions{}); }

TEST_F(OpOptions, OfTheDeltaRule) {
  expect_read(
      DeltaRuleOptions{.scale = 0.5, .qk_l2norm = true, .eps = 1e-5, .head_map = "grouped"});
}

TEST_F(OpOptions, OfTheRouterByDefault) { expect_read(RouteOptions{}); }

TEST_F(OpOptions, OfTheRouter) {
  expect_read(RouteOptions{.k = 2,
                           .score = "sigmoid",
                           .when = "after",
                           .renorm = true,
                           .scale = 2.5,
                           .n_group = 4,
                           .topk_group = 2});
}

TEST_F(OpOptions, ThatAreAbsentHaveTheDefaultsOfTheBuilder) {
  const Node bare;
  EXPECT_EQ(embed_scale(bare), kEmbedScale);
  EXPECT_EQ(conv1d_activation(bare), kConvActivation);
  EXPECT_EQ(experts_weight_on(bare), kExpertsWeightOn);
  EXPECT_EQ(attention_options(bare).causal, AttentionOptions{}.causal);
  EXPECT_EQ(rope_options(bare).scaling, RopeScaling{});
}

}  // namespace
}  // namespace vernal::test
