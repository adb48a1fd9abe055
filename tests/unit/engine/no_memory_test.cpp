// What the engine does when there is no memory: each allocation fails once.
#include <gtest/gtest.h>

#include "support/failing_new/failing_new.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::BenchOptions;
using test::EngineBench;
using test::FailingNew;
using test::Spared;

// Two choices, so that one is seated beside the other; a prompt of several chunks.
const std::string kRequest =
    R"({"prompt": ")" + std::string(150, 'p') +
    R"(", "max_tokens": 5, "n": 2, "seed": 7, "sampling": {"top_k": 5}, "logprobs": 2})";

/// Two requests one after the other, while allocation `number` of the engine's threads fails. True:
/// there were so many.
bool answers_one_of_two(std::uint64_t number, const BenchOptions& options,
                        const std::shared_ptr<test::StepModelControl>& control) {
  const Spared spared;
  EngineBench bench(test::predict_letters, options, control);
  const FailingNew failing(number);
  int num_answered = 0;
  for (int i = 0; i < 2; ++i) {
    const Answer answer = bench.run(kRequest);
    num_answered += answer.is_finished() ? 1 : 0;
    if (!answer.is_finished()) {
      EXPECT_EQ(answer.terminal.code, VERNAL_RESOURCE_EXHAUSTED) << answer.terminal.text;
    }
  }
  EXPECT_GE(num_answered, 1) << "allocation " << number << ": the model answers no more";
  bench.eventually([&] { return bench.engine().num_open_requests() == 0; });
  const bool has_failed = failing.has_failed();
  bench.stop();
  return has_failed;
}

void fail_each(const BenchOptions& options, bool truncates_anywhere) {
  std::uint64_t number = 0;
  for (bool has_failed = true; has_failed && !testing::Test::HasFailure();) {
    auto control = std::make_shared<test::StepModelControl>();
    control->truncates_anywhere = truncates_anywhere;
    has_failed = answers_one_of_two(++number, options, control);
  }
  EXPECT_GT(number, 50U) << "the allocations of the engine are not seen";
}

TEST(EngineWithoutMemory, EndsARequestAndGoesOn) { fail_each({}, true); }

TEST(EngineWithoutMemory, EndsARequestAndGoesOnWithCheckpoints) {
  BenchOptions options;
  options.max_checkpoints = 4;
  fail_each(options, false);
}

}  // namespace
}  // namespace vernal
