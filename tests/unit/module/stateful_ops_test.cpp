// Shapes and refusals of rope, attention and the operations of levels 1 and 2.
#include "op_case.hpp"

namespace vernal::test {
namespace {

class RopeOp : public OpCase {
 protected:
  RopeOptions options_{.n_rot = 8};
};

TEST_F(RopeOp, KeepsShapeAndKind) {
  const Tensor x = value({kTokens, 4, 8});
  const Tensor p = positions();
  EXPECT_EQ(type(b_.rope(x, p, options_)), "act[T, 4, 8]");
  options_.style = "interleaved";
  options_.factors = weight({4});
  EXPECT_EQ(type(b_.rope(x, p, options_)), "act[T, 4, 8]");
  for (const char* kind : {"linear", "yarn", "banded", "longrope"}) {
    options_.scaling = {.kind = kind, .factor = 8, .original_context_length = 8192};
    EXPECT_EQ(type(b_.rope(x, p, options_)), "act[T, 4, 8]") << kind;
  }
  expect_sound();
}
TEST_F(RopeOp, TakesSectionsOfPairs) {
  options_.mrope = "interleaved";
  options_.sections = {2, 1, 1, 0};
  EXPECT_EQ(type(b_.rope(value({kTokens, 4, 16}), positions(3), options_)), "act[T, 4, 16]");
  expect_sound();
}
TEST_F(RopeOp, RefusesMoreDimensionsThanAHeadHas) {
  options_.n_rot = 10;
  b_.rope(value({kTokens, 4, 8}), positions(), options_);
  expect_problem("expected an even number up to 8, found 10");
}
TEST_F(RopeOp, RefusesAnOddNumberOfDimensions) {
  options_.n_rot = 7;
  b_.rope(value({kTokens, 4, 8}), positions(), options_);
  expect_problem("expected an even number");
}
TEST_F(RopeOp, RefusesAFlatValue) {
  b_.rope(value({kTokens, 32}), positions(), options_);
  expect_problem("x [T, 32]: expected 3 dimensions");
}
TEST_F(RopeOp, RefusesFactorsOfAnotherSize) {
  options_.factors = weight({8});
  b_.rope(value({kTokens, 4, 8}), positions(), options_);
  expect_problem("expected [4]");
}
TEST_F(RopeOp, RefusesALongropeWithoutFactors) {
  options_.scaling.kind = "longrope";
  b_.rope(value({kTokens, 4, 8}), positions(), options_);
  expect_problem("expected the operand factors");
}
TEST_F(RopeOp, RefusesAScalingWithoutItsFactor) {
  Attributes attributes;
  attributes.add("n_rot", std::int64_t{8}).add("style", "neox").add("base", 1e4);
  attributes.add("scaling", "linear");
  b_.add_op("vernal.rope/1", "rope", {value({kTokens, 4, 8}).operand, positions().operand},
            attributes, 1);
  expect_problem("scaling linear: attribute \"factor\" is missing");
}
TEST_F(RopeOp, RefusesAFactorThatItsScalingIgnores) {
  Attributes attributes;
  attributes.add("n_rot", std::int64_t{8}).add("style", "neox").add("base", 1e4).add("factor", 8.0);
  b_.add_op("vernal.rope/1", "rope", {value({kTokens, 4, 8}).operand, positions().operand},
            attributes, 1);
  expect_problem("attribute \"factor\" has no meaning for scaling none");
}
TEST_F(RopeOp, RefusesThreePositionsWithoutSections) {
  b_.rope(value({kTokens, 4, 8}), positions(3), options_);
  expect_problem("expected one position for each token");
}
TEST_F(RopeOp, RefusesSectionsThatDoNotCoverThePairs) {
  options_.mrope = "chunked";
  options_.sections = {1, 1, 1, 0};
  b_.rope(value({kTokens, 4, 8}), positions(3), options_);
  expect_problem("add up to 4");
}
TEST_F(RopeOp, RefusesBandsInTheWrongOrder) {
  options_.scaling = {.kind = "banded", .factor = 8, .original_context_length = 8192};
  options_.scaling.low_freq_factor = 4;
  b_.rope(value({kTokens, 4, 8}), positions(), options_);
  expect_problem("expected low_freq_factor below high_freq_factor");
}

class AttentionOp : public OpCase {};

TEST_F(AttentionOp, GivesTheHeadsSideBySide) {
  const Tensor a = b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}),
                                value({kTokens, 2, 32}), kv(2, 16, 32), {.scale = 0.25});
  EXPECT_EQ(type(a), "act[T, 256]");
  expect_sound();
}
TEST_F(AttentionOp, TakesSinks) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}), value({kTokens, 2, 16}),
               kv(2, 16, 16), {.scale = 0.25, .sinks = weight({8})});
  expect_sound();
}
TEST_F(AttentionOp, RefusesHeadsThatDoNotDivide) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 3, 16}), value({kTokens, 3, 16}),
               kv(3, 16, 16), {});
  expect_problem("3 key/value heads do not divide 8 query heads");
}
TEST_F(AttentionOp, RefusesAStateOfOtherHeads) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}), value({kTokens, 2, 16}),
               kv(4, 16, 16), {});
  expect_problem("kv \"kv\" holds 4 heads of 16 and 16, expected 2 of 16 and 16");
}
TEST_F(AttentionOp, RefusesAStateOfAnotherKind) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}), value({kTokens, 2, 16}),
               b_.state(ConvState{"conv", 0, 16, 4}), {});
  expect_problem("expected a state of kind kv, found conv");
}
TEST_F(AttentionOp, RefusesKeysOfAnotherSize) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 8}), value({kTokens, 2, 16}),
               kv(2, 16, 16), {});
  expect_problem("k [T, 2, 8]: expected [T, 2, 16]");
}
TEST_F(AttentionOp, RefusesToRunWithoutAState) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}), value({kTokens, 2, 16}),
               StateRef{}, {});
  expect_problem("operand kv of vernal.attention/1: expected a state, found nothing");
}
TEST_F(AttentionOp, RefusesSinksForOtherHeads) {
  b_.attention(value({kTokens, 8, 16}), value({kTokens, 2, 16}), value({kTokens, 2, 16}),
               kv(2, 16, 16), {.sinks = weight({2})});
  expect_problem("expected [8]");
}

class ConvOp : public OpCase {};

TEST_F(ConvOp, KeepsShapeAndKind) {
  const StateRef conv = b_.state(ConvState{"conv", 0, 32, 4});
  EXPECT_EQ(type(b_.conv1d_state(value({kTokens, 32}), weight({32, 4}), {}, conv, "silu")),
            "act[T, 32]");
  expect_sound();
}
TEST_F(ConvOp, RefusesAStateOfAnotherWidth) {
  const StateRef conv = b_.state(ConvState{"conv", 0, 32, 3});
  b_.conv1d_state(value({kTokens, 32}), weight({32, 4}), weight({32}), conv);
  expect_problem("is for 32 channels and width 3, expected 32 and 4");
}
TEST_F(ConvOp, RefusesAWeightOfOtherChannels) {
  const StateRef conv = b_.state(ConvState{"conv", 0, 32, 4});
  b_.conv1d_state(value({kTokens, 32}), weight({16, 4}), {}, conv);
  expect_problem("expected [32, 4]");
}

class DeltaRuleOp : public OpCase {
 protected:
  Builder::DeltaRuleInputs inputs() {
    return {value({kTokens, 2, 16}), value({kTokens, 2, 16}), value({kTokens, 6, 32}),
            value({kTokens, 6}, Element::kF32), value({kTokens, 6}, Element::kF32)};
  }
  StateRef memory(std::int64_t heads = 6) {
    return b_.state(RecurrentState{"memory", 0, heads, 16, 32});
  }
};

TEST_F(DeltaRuleOp, GivesTheShapeOfValues) {
  EXPECT_EQ(type(b_.gated_delta_rule(inputs(), memory(), {.head_map = "tiled"})), "act[T, 6, 32]");
  expect_sound();
}
TEST_F(DeltaRuleOp, TakesADecayForEachChannel) {
  auto in = inputs();
  in.g = value({kTokens, 6, 16}, Element::kF32);
  EXPECT_EQ(type(b_.gated_delta_rule(in, memory(), {.head_map = "grouped"})), "act[T, 6, 32]");
  expect_sound();
}
TEST_F(DeltaRuleOp, RefusesADecayThatMayBeNarrow) {
  auto in = inputs();
  in.g = value({kTokens, 6});
  b_.gated_delta_rule(in, memory(), {});
  expect_problem("expected elements f32, found act");
}
TEST_F(DeltaRuleOp, RefusesAMemoryOfOtherHeads) {
  b_.gated_delta_rule(inputs(), memory(2), {});
  expect_problem("holds 2 heads of [16, 32], expected 6 of [16, 32]");
}
TEST_F(DeltaRuleOp, RefusesAnUnknownHeadMap) {
  b_.gated_delta_rule(inputs(), memory(), {.head_map = "mixed"});
  expect_problem("expected one of tiled|grouped");
}
TEST_F(DeltaRuleOp, RefusesKeyHeadsThatDoNotDivide) {
  auto in = inputs();
  in.q = value({kTokens, 4, 16});
  in.k = value({kTokens, 4, 16});
  b_.gated_delta_rule(in, memory(), {});
  expect_problem("4 key heads do not divide 6 value heads");
}

class ExpertOp : public OpCase {
 protected:
  ExpertWeights experts() {
    return {weight({8, 24, 16}), weight({8, 24, 16}), weight({8, 16, 24})};
  }
};

TEST_F(ExpertOp, RoutesAndMixes) {
  const Route route = b_.moe_route(value({kTokens, 8}, Element::kF32), weight({8}), {.k = 2});
  EXPECT_EQ(type(route.ids), "i32[T, 2]");
  EXPECT_EQ(type(route.weights), "f32[T, 2]");
  EXPECT_EQ(type(b_.moe_glu(value({kTokens, 16}), route, experts())), "act[T, 16]");
  ExpertWeights with_biases = experts();
  with_biases.gate_bias = weight({8, 24});
  with_biases.down_bias = weight({8, 16});
  EXPECT_EQ(type(b_.moe_glu(value({kTokens, 16}), route, with_biases, {}, "in")), "act[T, 16]");
  expect_sound();
}
TEST_F(ExpertOp, RefusesMoreChoicesThanExperts) {
  b_.moe_route(value({kTokens, 8}, Element::kF32), {}, {.k = 9});
  expect_problem("9 of 8 experts");
}
TEST_F(ExpertOp, RefusesGroupsThatDoNotDivide) {
  b_.moe_route(value({kTokens, 8}, Element::kF32), {}, {.k = 2, .n_group = 3});
  expect_problem("n_group 3 does not divide 8 experts");
}
TEST_F(ExpertOp, RefusesChoicesThatDoNotFitTheGroups) {
  b_.moe_route(value({kTokens, 8}, Element::kF32), {}, {.k = 3, .n_group = 4, .topk_group = 1});
  expect_problem("3 experts do not fit into 1 groups of 2");
}
TEST_F(ExpertOp, RefusesAZeroNumberOfGroups) {
  b_.moe_route(value({kTokens, 8}, Element::kF32), {}, {.k = 2, .n_group = 0});
  expect_problem("\"n_group\": expected a number from 1");
}
TEST_F(ExpertOp, RefusesScoresThatMayBeNarrow) {
  b_.moe_route(value({kTokens, 8}), {}, {.k = 2});
  expect_problem("expected elements f32, found act");
}
TEST_F(ExpertOp, RefusesADownMatrixOfAnotherShape) {
  const Route route = b_.moe_route(value({kTokens, 8}, Element::kF32), {}, {.k = 2});
  ExpertWeights wrong = experts();
  wrong.down = weight({8, 24, 16});
  b_.moe_glu(value({kTokens, 16}), route, wrong);
  expect_problem("expected [8, 16, 24]");
}

}  // namespace
}  // namespace vernal::test
