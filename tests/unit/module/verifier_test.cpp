#include "module/verifier.hpp"

#include "op_case.hpp"

namespace vernal::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A sound module with an input, two nodes and an output. Tests damage it.
class VerifierTest : public OpCase {
 protected:
  Module sound() {
    const Tensor x = b_.input("hidden", Element::kF32, {kTokens, 8});
    const Tensor y = b_.linear("first", x, weight({8, 8}), {}, Element::kF32);
    b_.output("hidden", b_.add(y, x), "all");
    b_.end_function();
    return core_.finish();
  }
  static void expect_one(const Module& module, const std::string& part) {
    const auto problems = verify_module(module);
    ASSERT_EQ(problems.size(), 1U) << list_problems(problems);
    EXPECT_THAT(problems[0].path + ": " + problems[0].text, HasSubstr(part));
  }
};

TEST_F(VerifierTest, FindsNothingInASoundModule) { EXPECT_THAT(verify_module(sound()), IsEmpty()); }

TEST_F(VerifierTest, FindsAUseBeforeItsValue) {
  Module module = sound();
  std::swap(module.functions[0].nodes[1], module.functions[0].nodes[2]);
  expect_one(module, "add: uses %1, which is not made before");
}
TEST_F(VerifierTest, FindsAValueMadeTwice) {
  Module module = sound();
  module.functions[0].nodes.push_back(module.functions[0].nodes[2]);
  expect_one(module, "result %2 is out of range or made twice");
}
TEST_F(VerifierTest, FindsAShapeThatTheOperationDoesNotGive) {
  Module module = sound();
  module.functions[0].values[1].shape.dims[1] = 9;
  const auto problems = verify_module(module);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].text, "the stored results differ from what the operation gives");
}
TEST_F(VerifierTest, FindsOperandsOutOfRange) {
  Module module = sound();
  module.functions[0].nodes[1].operands[1].index = 7;
  module.functions[0].nodes[2].operands[0].index = 7;
  const auto problems = verify_module(module);
  ASSERT_EQ(problems.size(), 2U) << list_problems(problems);
  EXPECT_THAT(problems[0].text, HasSubstr("index 7 is out of range"));
  EXPECT_THAT(problems[1].text, HasSubstr("uses %7"));
}
TEST_F(VerifierTest, FindsTwoFunctionsOfOneName) {
  Module module = sound();
  module.functions.push_back(module.functions[0]);
  expect_one(module, "function \"main\": a second function of this name");
}
TEST_F(VerifierTest, FindsAStateOfAnotherFunction) {
  b_.output("hidden", b_.rope(value({kTokens, 2, 8}, Element::kF32), positions(), {.n_rot = 8}),
            "all");
  const StateRef conv = b_.state(ConvState{"conv", 0, 8, 4});
  b_.conv1d_state(value({kTokens, 8}), weight({8, 4}), {}, conv);
  b_.end_function();
  Module module = core_.finish();
  module.states[0].function = 1;
  const auto problems = verify_module(module);
  ASSERT_EQ(problems.size(), 2U) << list_problems(problems);
  EXPECT_THAT(problems[0].text, HasSubstr("belongs to another function"));
  EXPECT_THAT(problems[1].text, HasSubstr("belongs to no function"));
}

TEST(ListProblems, StopsAfterEnough) {
  const std::vector<Problem> problems(60, Problem{"blk.0", "wrong"});
  const std::string text = list_problems(problems, 2);
  EXPECT_EQ(text, "  blk.0: wrong\n  blk.0: wrong\n  and 58 more");
}

TEST(OpRegistry, HasEveryOperationOnce) {
  EXPECT_EQ(all_ops().size(), 24U);
  for (const OpSpec* op : all_ops()) EXPECT_EQ(find_op(op->id), op);
  EXPECT_EQ(find_op("vernal.linear/2"), nullptr);
}

}  // namespace
}  // namespace vernal::test
