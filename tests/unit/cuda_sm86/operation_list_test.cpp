// What the compiler knows of operations while it fuses them: who reads what, and where a fused operation
// may stand.
#include "compile/fusion/operation_list.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace vernal::cuda_sm86 {
namespace {

class Step final : public Operation {
 public:
  Step(std::string step_name, std::vector<BufferId> reads_, std::vector<BufferId> writes_) {
    name = std::move(step_name);
    reads = std::move(reads_);
    writes = std::move(writes_);
  }
  cudaError_t launch(const StepContext&) const override { return cudaSuccess; }
};

OperationList::Operations steps(std::vector<Step*> made) {
  OperationList::Operations out;
  for (Step* const step : made) out.emplace_back(step);
  return out;
}

std::string names(OperationList& list) {
  std::string out;
  for (const auto& operation : list.take()) out += (out.empty() ? "" : ", ") + operation->name;
  return out;
}

TEST(OperationList, CountsReaders) {
  const std::array<BufferId, 1> results{2};
  OperationList list(
      steps({new Step("a", {0}, {1}), new Step("b", {1}, {2}), new Step("c", {2, 2}, {3})}),
      results);
  EXPECT_EQ(list.writer(1), 0U);
  EXPECT_EQ(list.writer(0), OperationList::kNone) << "an input of the function";
  EXPECT_EQ(list.only_reader(1), 1U);
  EXPECT_EQ(list.num_readers(2), 2U) << "c, and the caller";
  EXPECT_EQ(list.only_reader(2), OperationList::kNone);
}

TEST(OperationList, AFusedOperationStandsBehindWhatItReadsAndBeforeItsReaders) {
  OperationList list(steps({new Step("a", {0}, {1}), new Step("b", {0}, {2}),
                            new Step("c", {1, 2}, {3}), new Step("d", {3}, {4})}),
                     {});
  ASSERT_TRUE(
      list.fuse(std::array<std::size_t, 2>{0, 2},
                std::make_unique<Step>("", std::vector<BufferId>{0, 2}, std::vector<BufferId>{3})));
  EXPECT_EQ(list.writer(3), 2U);
  EXPECT_EQ(list.num_readers(1), 0U);
  EXPECT_EQ(names(list), "b, a + c, d");
}

TEST(OperationList, AReaderBetweenPullsAFusedOperationForward) {
  OperationList list(
      steps({new Step("a", {0}, {1, 2}), new Step("b", {2}, {3}), new Step("c", {1}, {4})}), {});
  ASSERT_TRUE(
      list.fuse(std::array<std::size_t, 2>{0, 2},
                std::make_unique<Step>("", std::vector<BufferId>{0}, std::vector<BufferId>{2, 4})));
  EXPECT_EQ(names(list), "a + c, b");
}

TEST(OperationList, RefusesWhatHasNoPlace) {
  // b needs a, and c needs b.
  OperationList list(
      steps({new Step("a", {0}, {1, 2}), new Step("b", {2}, {3}), new Step("c", {1, 3}, {4})}), {});
  EXPECT_FALSE(list.fuse(
      std::array<std::size_t, 2>{0, 2},
      std::make_unique<Step>("", std::vector<BufferId>{0, 3}, std::vector<BufferId>{2, 4})));
  EXPECT_EQ(names(list), "a, b, c");
}

}  // namespace
}  // namespace vernal::cuda_sm86
