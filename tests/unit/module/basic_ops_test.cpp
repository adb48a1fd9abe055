// Shapes, element kinds and refusals of the operations that every backend has, except rope and
// attention.
#include "op_case.hpp"

namespace vernal::test {
namespace {

class InputOp : public OpCase {};
class EmbedOp : public OpCase {};
class NormOp : public OpCase {};
class LinearOp : public OpCase {};
class BroadcastOp : public OpCase {};
class ElementwiseOp : public OpCase {};
class LayoutOp : public OpCase {};
class RowOp : public OpCase {};
class OutputOp : public OpCase {};

TEST_F(InputOp, GivesTheDeclaredType) {
  EXPECT_EQ(type(b_.input("ids", Element::kI32, {kTokens})), "i32[T]");
  EXPECT_EQ(type(b_.input("positions", Element::kI32, {kTokens, 3})), "i32[T, 3]");
  EXPECT_EQ(type(b_.input("rows", Element::kI32, {kRows})), "i32[R]");
  EXPECT_EQ(type(b_.input("hidden", Element::kF32, {kTokens, 8})), "f32[T, 8]");
  EXPECT_EQ(type(b_.input("ext", Element::kF32, {kExternal, 8})), "f32[X, 8]");
  EXPECT_EQ(type(b_.input("ext_index", Element::kI32, {kExternal})), "i32[X]");
  EXPECT_EQ(type(b_.input("other", Element::kAct, {kSequences, 2, 3, 4})), "act[S, 2, 3, 4]");
  expect_sound();
}

TEST_F(InputOp, RefusesAReservedNameOfAnotherType) {
  EXPECT_EQ(type(b_.input("ids", Element::kI32, {kRows})), "unknown");
  expect_problem("does not fit this reserved name");
}
TEST_F(InputOp, RefusesTwoPositionsPerToken) {
  b_.input("positions", Element::kI32, {kTokens, 2});
  expect_problem("does not fit this reserved name");
}
TEST_F(InputOp, RefusesARunTimeDimensionThatIsNotFirst) {
  b_.input("x", Element::kAct, {4, kTokens});
  expect_problem("dimension 1 is -1");
}
TEST_F(InputOp, RefusesZeroDimensions) {
  b_.input("x", Element::kAct, {kTokens, 0});
  expect_problem("dimension 1 is 0");
}
TEST_F(InputOp, RefusesMoreThanFourDimensions) {
  b_.input("x", Element::kAct, {1, 1, 1, 1, 1});
  expect_problem("expected 1 to 4 dimensions, found 5");
}
TEST_F(InputOp, RefusesMoreElementsThanInt64Holds) {
  const std::int64_t huge = (std::int64_t{1} << 31) - 1;
  b_.input("x", Element::kAct, {kTokens, huge, huge, huge});
  expect_problem("too many elements");
}

TEST_F(EmbedOp, GivesOneRowPerTokenAsF32) {
  const Tensor ids = b_.input("ids", Element::kI32, {kTokens});
  EXPECT_EQ(type(b_.embed(ids, weight({100, 8}), 2)), "f32[T, 8]");
  EXPECT_EQ(type(b_.embed(ids, weight({100, 8}), 1, Element::kAct)), "act[T, 8]");
  expect_sound();
}
TEST_F(EmbedOp, RefusesIdsThatAreNotIntegers) {
  b_.embed(value({kTokens}), weight({100, 8}));
  expect_problem("expected elements i32, found act");
}
TEST_F(EmbedOp, RefusesAWeightThatIsNoMatrix) {
  b_.embed(b_.input("ids", Element::kI32, {kTokens}), weight({100}));
  expect_problem("expected 2 dimensions");
}

TEST_F(NormOp, KeepsTheShape) {
  EXPECT_EQ(type(b_.rmsnorm(value({kTokens, 8}, Element::kF32), weight({8}), 1e-6)), "act[T, 8]");
  EXPECT_EQ(type(b_.rmsnorm(value({kTokens, 4, 8}), weight({8}), 1e-6, Element::kF32)),
            "f32[T, 4, 8]");
  EXPECT_EQ(type(b_.rmsnorm(value({kTokens, 8}), WeightRef{}, 0)), "act[T, 8]");
  EXPECT_EQ(type(b_.l2norm(value({kTokens, 4, 8}), 1e-6)), "act[T, 4, 8]");
  expect_sound();
}
TEST_F(NormOp, RefusesAWeightOfAnotherSize) {
  b_.rmsnorm(value({kTokens, 8}), weight({4}), 1e-6);
  expect_problem("expected [8]");
}
TEST_F(NormOp, RefusesANegativeEpsilon) {
  b_.rmsnorm(value({kTokens, 8}), weight({8}), -1e-6);
  expect_problem("\"eps\": expected a number from 0");
}
TEST_F(NormOp, RefusesAnEpsilonThatIsNotANumber) {
  b_.rmsnorm(value({kTokens, 8}), weight({8}), std::nan(""));
  expect_problem("found nan");
}
TEST_F(NormOp, RefusesIntegers) {
  b_.l2norm(value({kTokens, 8}, Element::kI32), 1e-6);
  expect_problem("expected elements act or f32, found i32");
}

TEST_F(LinearOp, ReplacesTheLastDimension) {
  EXPECT_EQ(type(b_.linear("a", value({kTokens, 8}), weight({5, 8}))), "act[T, 5]");
  EXPECT_EQ(type(b_.linear("a", value({kTokens, 8}), weight({5, 8}), weight({5}), Element::kF32)),
            "f32[T, 5]");
  EXPECT_EQ(type(b_.linear("a", value({kRows, 2, 8}), weight({5, 8}))), "act[R, 2, 5]");
  expect_sound();
}
TEST_F(LinearOp, RefusesAnotherInputSize) {
  const WeightRef w = weight({8, 5});
  b_.linear("a", value({kTokens, 8}), w);
  expect_problem("x [T, 8] and w \"w0.weight\" [8, 5]: expected equal last dimensions");
}
TEST_F(LinearOp, RefusesABiasOfAnotherSize) {
  const WeightRef bias = weight({8});
  b_.linear("a", value({kTokens, 8}), weight({5, 8}), bias);
  expect_problem("bias \"w0.weight\" [8]: expected [5]");
}
TEST_F(LinearOp, RefusesAValueInPlaceOfTheWeight) {
  b_.add_op("vernal.linear/1", "a", {value({kTokens, 8}).operand, value({5, 8}).operand}, {}, 1);
  expect_problem("operand w of vernal.linear/1: expected a weight, found a value");
}

TEST_F(BroadcastOp, StretchesDimensionsOfOne) {
  const Tensor x = value({kTokens, 4, 8});
  EXPECT_EQ(type(b_.add(x, value({kTokens, 4, 8}))), "act[T, 4, 8]");
  EXPECT_EQ(type(b_.mul(x, value({kTokens, 1, 1}))), "act[T, 4, 8]");
  EXPECT_EQ(type(b_.mul(x, weight({4, 1}))), "act[T, 4, 8]");
  EXPECT_EQ(type(b_.add(x, weight({8}))), "act[T, 4, 8]");
  EXPECT_EQ(type(b_.add(value({8}), value({kTokens, 8}))), "act[T, 8]");
  expect_sound();
}
TEST_F(BroadcastOp, GivesF32IfAValueIsF32) {
  const Tensor residual = value({kTokens, 8}, Element::kF32);
  EXPECT_EQ(type(b_.add(residual, value({kTokens, 8}))), "f32[T, 8]");
  EXPECT_EQ(type(b_.add(value({kTokens, 8}), residual)), "f32[T, 8]");
  EXPECT_EQ(type(b_.add(value({kTokens, 8}), weight({8}))), "act[T, 8]");
}
TEST_F(BroadcastOp, RefusesDimensionsThatDiffer) {
  b_.add(value({kTokens, 8}), value({kTokens, 4}));
  expect_problem("dimensions 8 and 4 are neither equal nor 1");
}
TEST_F(BroadcastOp, RefusesTokensAgainstRows) {
  b_.add(value({kTokens, 8}), value({kRows, 8}));
  expect_problem("dimensions T and R are neither equal nor 1");
}
TEST_F(BroadcastOp, RefusesTwoWeights) {
  b_.add_op("vernal.add/1", "add", {weight({8}).operand, weight({8}).operand}, {}, 1);
  expect_problem("expected at least one value");
}

TEST_F(ElementwiseOp, KeepsShapeAndKind) {
  const Tensor x = value({kTokens, 8}, Element::kF32);
  EXPECT_EQ(type(b_.scale(x, 0.5)), "f32[T, 8]");
  EXPECT_EQ(type(b_.softcap(x, 30)), "f32[T, 8]");
  for (const char* kind :
       {"silu", "gelu_tanh", "gelu_erf", "relu", "relu2", "sigmoid", "softplus", "tanh", "exp"}) {
    EXPECT_EQ(type(b_.act(x, kind)), "f32[T, 8]") << kind;
  }
  const Tensor gate = value({kTokens, 8});
  for (const char* kind : {"swiglu", "geglu_tanh", "geglu_erf", "reglu", "swiglu_oai"}) {
    EXPECT_EQ(type(b_.glu(gate, value({kTokens, 8}), {.kind = kind})), "act[T, 8]") << kind;
  }
  expect_sound();
}
TEST_F(ElementwiseOp, RefusesAnUnknownActivation) {
  b_.act(value({kTokens, 8}), "mish");
  expect_problem("expected one of silu|gelu_tanh");
}
TEST_F(ElementwiseOp, RefusesGateAndUpOfDifferentShapes) {
  b_.glu(value({kTokens, 8}), value({kTokens, 4}));
  expect_problem("up [T, 4]: expected [T, 8]");
}
TEST_F(ElementwiseOp, RefusesALimitThatItsKindIgnores) {
  Attributes attributes;
  attributes.add("kind", "swiglu").add("limit", 7.0);
  b_.add_op("vernal.glu/1", "glu", {value({kTokens, 8}).operand, value({kTokens, 8}).operand},
            attributes, 1);
  expect_problem("attribute \"limit\" has no meaning for swiglu");
}
TEST_F(ElementwiseOp, RefusesASoftcapOfZero) {
  b_.softcap(value({kTokens, 8}), 0);
  expect_problem("attribute \"c\"");
}
TEST_F(ElementwiseOp, RefusesAnInfiniteScale) {
  b_.scale(value({kTokens, 8}), std::numeric_limits<double>::infinity());
  expect_problem("found inf");
}

TEST_F(LayoutOp, ReshapesSplitsSlicesAndJoins) {
  const Tensor x = value({kTokens, 12});
  EXPECT_EQ(type(b_.reshape(x, {kTokens, 3, 4})), "act[T, 3, 4]");
  EXPECT_EQ(type(b_.slice(x, 1, 4, 6)), "act[T, 6]");
  const auto parts = b_.split(x, 1, {2, 4, 6});
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(type(parts[2]), "act[T, 6]");
  EXPECT_EQ(type(b_.concat({parts[0], x, parts[1]}, 1)), "act[T, 18]");
  EXPECT_EQ(type(b_.concat({x, value({kTokens, 4}, Element::kF32)}, 1)), "f32[T, 16]");
  EXPECT_EQ(type(b_.reshape(value({kTokens}, Element::kI32), {kTokens, 1})), "i32[T, 1]");
  expect_sound();
}
TEST_F(LayoutOp, RefusesAReshapeThatLosesElements) {
  b_.reshape(value({kTokens, 12}), {kTokens, 3, 5});
  expect_problem("cannot become [T, 3, 5]");
}
TEST_F(LayoutOp, RefusesAReshapeToAnotherRunTimeDimension) {
  b_.reshape(value({kTokens, 12}), {kRows, 12});
  expect_problem("cannot become [R, 12]");
}
TEST_F(LayoutOp, RefusesAReshapeWhoseSizeOverflows) {
  const std::int64_t huge = std::int64_t{1} << 62;
  b_.reshape(value({kTokens, 4}), {kTokens, huge, 4});
  expect_problem("cannot become");
}
TEST_F(LayoutOp, RefusesASliceBeyondTheEnd) {
  b_.slice(value({kTokens, 12}), 1, 8, 5);
  expect_problem("has no 5 elements from 8");
}
TEST_F(LayoutOp, RefusesASliceThatOverflows) {
  b_.slice(value({kTokens, 12}), 1, 8, std::numeric_limits<std::int64_t>::max());
  expect_problem("elements from 8");
}
TEST_F(LayoutOp, RefusesAnAxisKnownAtAStepOnly) {
  b_.slice(value({kTokens, 12}), 0, 0, 1);
  expect_problem("known at a step only");
}
TEST_F(LayoutOp, RefusesAnAxisThatIsNotThere) {
  b_.slice(value({kTokens, 12}), 2, 0, 1);
  expect_problem("2 is not a dimension");
}
TEST_F(LayoutOp, RefusesSplitSizesThatDoNotAddUp) {
  b_.split(value({kTokens, 12}), 1, {4, 4});
  expect_problem("[4, 4] do not add up");
}
TEST_F(LayoutOp, RefusesJoiningDifferentShapes) {
  b_.concat({value({kTokens, 12}), value({kRows, 12})}, 1);
  expect_problem("expected equal elements and shapes");
}
TEST_F(LayoutOp, RefusesJoiningIntegersAndFloats) {
  b_.concat({value({kTokens, 2}), value({kTokens, 2}, Element::kI32)}, 1);
  expect_problem("expected equal elements and shapes");
}
TEST_F(LayoutOp, RefusesTooManyParts) {
  b_.concat(std::vector<Tensor>(65, value({kTokens, 2})), 1);
  expect_problem("expected at most 64 operands, found 65");
}

TEST_F(RowOp, SelectsAndOverrides) {
  const Tensor x = value({kTokens, 8}, Element::kF32);
  EXPECT_EQ(type(b_.select_rows(x, b_.input("rows", Element::kI32, {kRows}))), "f32[R, 8]");
  EXPECT_EQ(type(b_.override_rows(x, b_.input("ext", Element::kF32, {kExternal, 8}),
                                  b_.input("ext_index", Element::kI32, {kExternal}))),
            "f32[T, 8]");
  expect_sound();
}
TEST_F(RowOp, RefusesToSelectFromRows) {
  b_.select_rows(value({kRows, 8}), value({kRows}, Element::kI32));
  expect_problem("expected the tokens T");
}
TEST_F(RowOp, RefusesExternalRowsOfAnotherWidth) {
  b_.override_rows(value({kTokens, 8}), value({kExternal, 4}, Element::kF32),
                   value({kExternal}, Element::kI32));
  expect_problem("ext [X, 4]: expected [X, 8]");
}

TEST_F(OutputOp, TakesF32WithTheRightRows) {
  b_.output("logits", value({kRows, 8}, Element::kF32));
  b_.output("hidden", value({kTokens, 8}, Element::kF32), "all");
  expect_sound();
}
TEST_F(OutputOp, RefusesActivationsThatMayBeNarrow) {
  b_.output("logits", value({kRows, 8}));
  expect_problem("expected elements f32, found act");
}
TEST_F(OutputOp, RefusesTokensWhereRowsAreWanted) {
  b_.output("logits", value({kTokens, 8}, Element::kF32));
  expect_problem("expected first dimension R");
}
TEST_F(OutputOp, RefusesAnUnknownName) {
  b_.output("scores", value({kRows, 8}, Element::kF32));
  expect_problem("expected one of logits|hidden|embedding");
}

}  // namespace
}  // namespace vernal::test
