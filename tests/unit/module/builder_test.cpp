#include "module/builder.hpp"

#include "module/verifier.hpp"
#include "op_case.hpp"

namespace vernal::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// "path: text" of every problem.
std::vector<std::string> lines(const ModuleBuilder& builder) {
  std::vector<std::string> lines;
  for (const Problem& problem : builder.problems())
    lines.push_back(problem.path + ": " + problem.text);
  return lines;
}

class ModuleBuilderTest : public OpCase {
 protected:
  /// logits = linear(hidden): the smallest sound module.
  void build_least() {
    const Tensor x = b_.select_rows(b_.input("hidden", Element::kF32, {kTokens, 8}),
                                    b_.input("rows", Element::kI32, {kRows}));
    weights_.set("output.weight", {5, 8});
    b_.output("logits",
              b_.linear("output", x, b_.weight("output.weight", {5, 8}), {}, Element::kF32));
    b_.end_function();
  }
};

TEST_F(ModuleBuilderTest, MakesASoundModule) {
  build_least();
  const Module module = core_.finish();
  EXPECT_THAT(lines(core_), IsEmpty());
  EXPECT_THAT(verify_module(module), IsEmpty());
  ASSERT_EQ(module.functions.size(), 1U);
  EXPECT_EQ(module.functions[0].nodes.size(), 5U);
  EXPECT_EQ(module.weights[0].format, "f16");
  EXPECT_EQ(module.weights[0].bytes, 80U);
  EXPECT_EQ(module.weights[0].num_uses, 1U);
  EXPECT_NE(module.fingerprint, (std::array<std::uint8_t, 32>{}));
}

TEST_F(ModuleBuilderTest, NamesNodesByScopeAndWeight) {
  const Tensor x = value({kTokens, 8});
  weights_.set("blk.3.attn_norm.weight", {8});
  {
    const Scope scope = b_.scope("blk", 3);
    b_.rmsnorm(x, b_.weight(scope.name("attn_norm.weight"), {8}), 1e-6);
    b_.add(x, x);
    b_.add(x, x);
  }
  b_.act(x, "silu");
  std::vector<std::string> paths;
  const Module module = core_.finish();
  for (const Node& node : module.functions[0].nodes) paths.push_back(node.path);
  EXPECT_THAT(paths, ElementsAre("v0", "blk.3.attn_norm", "blk.3.add", "blk.3.add.2", "silu"));
}

TEST_F(ModuleBuilderTest, ReportsAllProblemsOfABuildTogether) {
  const Tensor x = value({kTokens, 8});
  weights_.set("b.weight", {4, 8});
  {
    const Scope scope = b_.scope("blk", 0);
    b_.linear("q", x, b_.weight("a.weight", {5, 8}));
    b_.linear("k", x, b_.weight("b.weight", {5, 8}));
    b_.act(x, "mish");
  }
  core_.finish();
  EXPECT_THAT(
      lines(core_),
      ElementsAre("weight \"a.weight\": missing in the model file; expected [5, 8]",
                  "weight \"b.weight\": expected [5, 8], found [4, 8] in the model file",
                  HasSubstr("blk.0.mish: attribute \"kind\""), "module: a function is not ended",
                  "function \"main\": there is no output"));
}

TEST_F(ModuleBuilderTest, ReportsAMistakeOnceHoweverOftenItsResultIsUsed) {
  const Tensor wrong = b_.add(value({kTokens, 8}), value({kTokens, 4}));
  EXPECT_EQ(type(b_.linear("a", b_.rmsnorm(wrong, {}, 1e-6), weight({5, 8}))), "unknown");
  EXPECT_EQ(type(b_.reshape(b_.mul(wrong, wrong), {kTokens, 1})), "unknown");
  EXPECT_THROW(b_.shape(wrong), Error);
  expect_problem("dimensions 8 and 4");
}

TEST_F(ModuleBuilderTest, GivesTheSameOperandForAWeightDeclaredAgain) {
  weights_.set("a.weight", {5, 8});
  const WeightRef first = b_.weight("a.weight", {5, 8});
  const WeightRef second = b_.weight("a.weight", {5, 8});
  EXPECT_EQ(first.operand.index, second.operand.index);
  expect_sound();
  b_.weight("a.weight", {8, 5});
  expect_problem("declared as [5, 8] and as [8, 5]");
}

TEST_F(ModuleBuilderTest, TakesStoredShapesWithLeadingOnes) {
  weights_.set("a.weight", {1, 1, 8});
  b_.weight("a.weight", {8});
  expect_sound();
}

TEST_F(ModuleBuilderTest, RefusesImpossibleWeightShapes) {
  weights_.set("a.weight", {8});
  b_.weight("a.weight", {8, -1});
  expect_problem("declared shape [8, T] is impossible");
}

TEST_F(ModuleBuilderTest, RefusesUnknownOperationsAndAttributes) {
  b_.add_op("vernal.hadamard/1", "h", {value({kTokens, 8}).operand}, {}, 1);
  Attributes attributes;
  attributes.add("scale", 2.0).add("gain", 2.0);
  b_.add_op("vernal.scale/1", "s", {value({kTokens, 8}).operand}, attributes, 1);
  EXPECT_THAT(lines(core_), ElementsAre("h: unknown operation \"vernal.hadamard/1\"",
                                        "s: vernal.scale/1: unknown attribute \"gain\""));
}

TEST_F(ModuleBuilderTest, TakesAnyHint) {
  Attributes attributes;
  attributes.add("scale", std::int64_t{2}).add("hint:fuse", "yes");
  const auto made = b_.add_op("vernal.scale/1", "s", {value({kTokens, 8}).operand}, attributes, 1);
  EXPECT_EQ(type(made[0]), "act[T, 8]");
  expect_sound();
}

TEST_F(ModuleBuilderTest, RefusesAttributesOfAnotherTypeMissingOrTwice) {
  const vernal_operand x = value({kTokens, 8}).operand;
  Attributes text;
  text.add("scale", "2");
  b_.add_op("vernal.scale/1", "a", {x}, text, 1);
  b_.add_op("vernal.scale/1", "b", {x}, {}, 1);
  Attributes twice;
  twice.add("scale", 2.0).add("scale", 3.0);
  b_.add_op("vernal.scale/1", "c", {x}, twice, 1);
  EXPECT_THAT(lines(core_), ElementsAre("a: attribute \"scale\": expected float, found string",
                                        "b: vernal.scale/1: attribute \"scale\" is missing",
                                        "c: vernal.scale/1: attribute \"scale\" stands twice"));
}

TEST_F(ModuleBuilderTest, RefusesOperandsThatDoNotExist) {
  b_.act({{VERNAL_OPERAND_VALUE, 99}}, "silu");
  expect_problem("operand x of vernal.act/1: index 99 is out of range, there are 0");
}

TEST_F(ModuleBuilderTest, RefusesAnotherNumberOfResults) {
  Attributes attributes;
  attributes.add("kind", "silu");
  b_.add_op("vernal.act/1", "a", {value({kTokens, 8}).operand}, attributes, 2);
  expect_problem("gives 1 results, the architecture takes 2");
}

TEST_F(ModuleBuilderTest, RefusesAStateUsedTwiceOrNever) {
  const StateRef once = b_.state(ConvState{"conv", 0, 8, 4});
  b_.state(KvState{"kv", 0, 1, 8, 8, 0});
  const WeightRef w = weight({8, 4});
  b_.conv1d_state(value({kTokens, 8}), w, {}, once);
  b_.conv1d_state(value({kTokens, 8}), w, {}, once);
  core_.finish();
  EXPECT_THAT(lines(core_), Contains("w0.2: state \"conv\" is used by a second node"));
  EXPECT_THAT(lines(core_), Contains("state \"kv\": declared, but no operation uses it"));
}

TEST_F(ModuleBuilderTest, RefusesMalformedStates) {
  b_.state(KvState{"kv", -1, 0, 8, 8, -5});
  b_.state(ConvState{"", 0, 8, 1});
  core_.finish();
  EXPECT_THAT(lines(core_), Contains(HasSubstr("state \"kv\": layer: expected 0")));
  EXPECT_THAT(lines(core_), Contains(HasSubstr("state \"kv\": num_heads: expected 1")));
  EXPECT_THAT(lines(core_), Contains(HasSubstr("state \"kv\": window: expected 0")));
  EXPECT_THAT(lines(core_), Contains(HasSubstr("state \"\": width: expected 2")));
  EXPECT_THAT(lines(core_), Contains("state \"\": expected a name of its own"));
}

TEST_F(ModuleBuilderTest, RefusesInputsAndOutputsDeclaredTwice) {
  const Tensor x = b_.input("hidden", Element::kF32, {kTokens, 8});
  b_.input("hidden", Element::kF32, {kTokens, 8});
  b_.output("hidden", x, "all");
  b_.output("hidden", x, "all");
  b_.end_function();
  core_.finish();
  EXPECT_THAT(lines(core_), ElementsAre("hidden.2: input \"hidden\" is declared twice",
                                        "hidden.4: output \"hidden\" is declared twice"));
}

TEST_F(ModuleBuilderTest, RefusesAWeightThatNothingUses) {
  weights_.set("a.weight", {8});
  b_.weight("a.weight", {8});
  build_least();
  core_.finish();
  EXPECT_THAT(lines(core_), ElementsAre("weight \"a.weight\": declared, but no operation uses it"));
}

TEST_F(ModuleBuilderTest, RefusesBrokenNesting) {
  build_least();
  b_.end_function();
  core_.pop_scope();
  b_.act({{VERNAL_OPERAND_VALUE, 0}}, "silu");
  core_.push_scope("two words");
  core_.finish();
  EXPECT_THAT(lines(core_), ElementsAre("module: end_function without begin_function",
                                        "module: pop_scope without push_scope",
                                        "module: vernal.act/1 outside a function",
                                        "module: a scope's name is empty or not printable",
                                        "two words: a scope is not popped"));
}

TEST_F(ModuleBuilderTest, RefusesAModuleWithoutMain) {
  ModuleBuilder builder("test", weights_);
  builder.finish();
  EXPECT_THAT(lines(builder), ElementsAre("module: there is no function \"main\""));
}

TEST_F(ModuleBuilderTest, KeepsValuesOfFunctionsApart) {
  build_least();
  b_.begin_function("mtp");
  b_.act({{VERNAL_OPERAND_VALUE, 0}}, "silu");
  expect_problem("index 0 is out of range");
}

TEST_F(ModuleBuilderTest, RefusesCountsThatCannotBeMeant) {
  const vernal_builder_ref ref = core_.ref();
  const vernal_operand operand{};
  vernal_operand out{};
  EXPECT_EQ(ref.api->add_op(ref.builder, to_str("vernal.act/1"), to_str("a"), &operand,
                            ~std::uint64_t{0}, nullptr, 0, 0, &out, 1),
            VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(ref.api->weight(ref.builder, to_str("a"), nullptr, 5, &out), VERNAL_INVALID_ARGUMENT);
}

TEST_F(ModuleBuilderTest, KeepsHintsOnce) {
  b_.hint("stop_token", "<|end|>");
  b_.hint("stop_token", "<|end|>");
  b_.hint("stop_token", "<|eot|>");
  EXPECT_THAT(core_.hints(),
              ElementsAre(Hint{"stop_token", "<|end|>"}, Hint{"stop_token", "<|eot|>"}));
}

}  // namespace
}  // namespace vernal::test
