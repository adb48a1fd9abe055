#include "command/step_bytes.hpp"

#include <gtest/gtest.h>

namespace vernal {
namespace {

vernal_plan_info plan_of(std::uint64_t sequence, std::uint64_t checkpoint) {
  vernal_plan_info plan{};
  plan.weight_bytes_per_step = 1000;
  plan.bytes_per_kv_token = 10;
  plan.bytes_per_sequence = sequence;
  plan.bytes_per_checkpoint = checkpoint;
  return plan;
}

TEST(StepBytes, AreWeightsAndKeysAndValuesOfAllPositions) {
  EXPECT_EQ(step_bytes(plan_of(0, 0), 0), 1000U);
  EXPECT_EQ(step_bytes(plan_of(0, 0), 7), 1070U);
}

TEST(StepBytes, HaveStatesTwice) {
  EXPECT_EQ(step_bytes(plan_of(40, 40), 0), 1080U);
  EXPECT_EQ(step_bytes(plan_of(40, 0), 0), 1080U) << "a backend without checkpoints";
}

TEST(StepBytes, HaveOneOfTheVersionsThatASequenceKeeps) {
  EXPECT_EQ(step_bytes(plan_of(360, 40), 0), 1080U);
}

}  // namespace
}  // namespace vernal
