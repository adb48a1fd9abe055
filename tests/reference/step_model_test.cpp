// The function "mtp" through the engine's step model, as speculation will call it.
#include <gtest/gtest.h>

#include "engine/steps/segmented_step_model.hpp"
#include "loading/step_functions.hpp"
#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

constexpr std::uint64_t kMtp = 1;  // in the module

class StepModelOfPrediction : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto folder = golden_folder("tiny-qwen35-mtp");
    if (folder.empty()) GTEST_SKIP() << "the larger reference set is not here: tiny-qwen35-mtp";
    ModelOptions options;
    options.backend = GetParam();
    options.keys = options.values = GetParam() == "reference" ? "f32" : "f16";
    options.functions = {"mtp"};
    for (auto* model : {&direct_, &stepped_}) {
      *model = std::make_unique<ModelUnderTest>(folder / "tiny-qwen35-mtp.gguf", options);
    }
    steps_.emplace(std::vector<SegmentedStepModel::Segment>{
        {[this] { return std::move(stepped_->pool()); }, step_functions(stepped_->module())}});
    steps_->open();
  }

  void run(const StepChunk& chunk) {
    steps_->begin_step({&chunk, 1});
    while (!steps_->wait_step(std::chrono::seconds(10))) {
    }
  }

  std::unique_ptr<ModelUnderTest> direct_;   // its pool is called by the test
  std::unique_ptr<ModelUnderTest> stepped_;  // its pool belongs to the step model
  std::optional<SegmentedStepModel> steps_;
};

TEST_P(StepModelOfPrediction, GivesTheBitsOfTheBackendsOwnCalls) {
  std::vector<std::int32_t> prompt(24);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<std::int32_t>(7 * i % 90);
  const std::vector<std::int32_t> next(prompt.begin() + 1, prompt.end());
  const auto sequence = direct_->sequence(32);
  const Answer main = direct_->answer(0, {sequence, prompt});
  const std::size_t width = main.hidden.size() / prompt.size();
  const std::span<const float> before = std::span(main.hidden).first(next.size() * width);
  const Answer mtp = direct_->answer(kMtp, {sequence, next}, before);

  const SequenceId id = steps_->create_sequence().value();
  ASSERT_TRUE(steps_->reserve(id, 32));
  StepChunk chunk{id, 0, prompt, static_cast<std::uint32_t>(prompt.size())};
  chunk.wants_hidden = true;
  run(chunk);
  std::vector<float> hidden;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const auto row = steps_->hidden(i);
    hidden.insert(hidden.end(), row.begin(), row.end());
  }
  EXPECT_TRUE(std::ranges::equal(hidden, before));
  steps_->end_step();

  chunk = {id, 0, next, 2, steps_->find_function("mtp").value(), hidden};
  chunk.wants_hidden = true;
  run(chunk);
  const std::size_t vocabulary_size = stepped_->vocabulary_size();
  const std::span<const float> last = std::span(mtp.logits).last(2 * vocabulary_size);
  EXPECT_TRUE(std::ranges::equal(steps_->logits(0), last.first(vocabulary_size)));
  EXPECT_TRUE(std::ranges::equal(steps_->logits(1), last.last(vocabulary_size)));
  EXPECT_TRUE(
      std::ranges::equal(steps_->hidden(next.size() - 1), std::span(mtp.hidden).last(width)));
  steps_->end_step();

  // It goes on by itself, from its own hidden state.
  const std::vector<std::int32_t> draft{5};
  const std::span<const float> own = std::span(mtp.hidden).last(width);
  const Answer expected = direct_->answer(kMtp, {sequence, draft}, own);
  run({id, next.size(), draft, 1, steps_->find_function("mtp").value(), own});
  EXPECT_TRUE(std::ranges::equal(steps_->logits(0), expected.logits));
  steps_->end_step();
}

INSTANTIATE_TEST_SUITE_P(Backends, StepModelOfPrediction, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test
