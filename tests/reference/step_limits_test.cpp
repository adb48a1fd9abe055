// Steps that exceed the plan: they are refused by name, and nothing is harmed.
#include <gtest/gtest.h>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "support/operations_under_test.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

class StepLimits : public testing::TestWithParam<std::string> {};

// Forks of a model of attention alone need no room of their own, so there may be more sequences than
// the plan has for a step. A backend refuses such a step, or has room for it all the same.
TEST_P(StepLimits, MoreSequencesThanThePlanHasAreTakenOrRefused) {
  ModelOptions options;
  options.backend = GetParam();
  options.keys = options.values = GetParam() == "reference" ? "f32" : "f16";
  options.context_length = 128;
  options.max_sequences = 2;
  ModelUnderTest model(golden_folder("tiny-llama-q4_k_m") / "tiny-llama-q4_k_m.gguf", options);
  const auto first = model.sequence(8);
  model.step({{first, {1, 2, 3}}});
  const auto second = model.pool().seq_fork(first, 0, 3);
  const auto third = model.pool().seq_fork(first, 0, 3);
  if (!third) GTEST_SKIP() << "this backend counts forks: " << GetParam();
  ASSERT_TRUE(model.pool().seq_reserve(*second, 4) && model.pool().seq_reserve(*third, 4));
  try {
    const auto three = model.step({{first, {4}}, {*second, {4}}, {*third, {4}}});
    EXPECT_EQ(three[0], three[1]);
    EXPECT_EQ(three[0], three[2]);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT) << error.what();
    const auto two = model.step({{first, {4}}, {*third, {4}}});
    EXPECT_EQ(two[0], two[1]);
  }
}

// There may be more external rows than tokens: of those for the same token the last one wins.
TEST_P(StepLimits, ManyExternalRowsAreTakenOrRefused) {
  constexpr std::int64_t kRows = 600;
  constexpr std::int64_t kColumns = 8;
  OperationsUnderTest ops(GetParam());
  const Tensor x = ops.input("x", {kTokens, kColumns});
  const Tensor external = ops.input("ext", {kExternal, kColumns});
  const Tensor index = ops.input("ext_index", {kExternal}, Element::kI32);
  ops.output(ops.b().override_rows(x, external, index));
  std::vector<float> rows(kRows * kColumns);
  std::vector<std::int32_t> tokens(kRows);
  for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
    rows[static_cast<std::size_t>(i)] = static_cast<float>(i);
  }
  for (std::int64_t i = 0; i < kRows; ++i) {
    tokens[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 3);
  }
  ops.feed("x", std::vector<float>(3 * kColumns, -1.0F));
  ops.feed("ext", rows);
  ops.feed_integers("ext_index", tokens);
  const auto sequence = ops.sequence();
  try {
    const std::vector<float> found = ops.step({{sequence, 3}});
    EXPECT_EQ(found, std::vector<float>(rows.end() - 3 * kColumns, rows.end()));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT) << error.what();
    EXPECT_NE(std::string(error.what()).find("\"ext"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, StepLimits, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace vernal::test
