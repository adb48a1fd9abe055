#include "engine/scheduler.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "support/byte_tokenizer.hpp"

namespace vernal {
namespace {

// Choices with prompts of given lengths, and what a step does to them.
class Bench {
 public:
  Choice* add(std::size_t prompt_length) {
    PreparedRequest prepared;
    Request::Options options;
    options.engine = std::make_shared<WakeSignal>();
    options.metrics = std::make_shared<EngineMetrics>();
    prepared.request = std::make_shared<Request>(std::move(options));
    prepared.prompt.assign(prompt_length, 'x');
    prepared.max_new_tokens = 1000;
    generations_.push_back(
        std::make_unique<Generation>(std::move(prepared), generations_.size(), *tokenizer_));
    choices_.push_back(generations_.back()->choices()[0].get());
    choices_.back()->take_seat({});
    return choices_.back();
  }

  Choice* add_decoding(std::size_t prompt_length) {
    Choice* choice = add(prompt_length);
    choice->advance(prompt_length);
    choice->append('y');
    return choice;
  }

  std::vector<PlannedChunk> step(Scheduler& scheduler,
                                 std::optional<std::size_t> most_prefill = std::nullopt) {
    std::vector<PlannedChunk> planned;
    scheduler.plan(choices_, planned, most_prefill);
    for (const PlannedChunk& chunk : planned) {
      chunk.choice->advance(chunk.count);
      EXPECT_EQ(chunk.wants_logits, chunk.choice->num_computed() == chunk.choice->num_known());
      if (chunk.wants_logits) chunk.choice->append('y');
    }
    return planned;
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_ = test::make_byte_tokenizer();
  std::vector<std::unique_ptr<Generation>> generations_;
  std::vector<Choice*> choices_;
};

std::size_t total(const std::vector<PlannedChunk>& planned) {
  return std::accumulate(planned.begin(), planned.end(), std::size_t{0},
                         [](std::size_t sum, const PlannedChunk& c) { return sum + c.count; });
}

TEST(Scheduler, ChoosesChunksThatLeaveRoomForDecodes) {
  EXPECT_EQ(Scheduler(512, 4).chunk_tokens(), 448U);
  EXPECT_EQ(Scheduler(512, 1).chunk_tokens(), 448U);
  EXPECT_EQ(Scheduler(513, 1).chunk_tokens(), 512U);
  EXPECT_EQ(Scheduler(68, 4).chunk_tokens(), 64U);
  EXPECT_EQ(Scheduler(64, 4).chunk_tokens(), 64U);
  EXPECT_EQ(Scheduler(40, 4).chunk_tokens(), 32U);
  EXPECT_EQ(Scheduler(1, 4).chunk_tokens(), 1U);
}

TEST(Scheduler, EndsChunksAtMultiplesAndAtTheEndOfThePrompt) {
  Bench bench;
  Scheduler scheduler(132, 4);
  bench.add(300);
  std::vector<std::size_t> counts;
  for (int i = 0; i < 5; ++i) counts.push_back(bench.step(scheduler).at(0).count);
  EXPECT_EQ(counts, (std::vector<std::size_t>{128, 128, 44, 1, 1}));
}

TEST(Scheduler, CutsAPromptTheSameWayWhateverElseRuns) {
  const auto borders = [](std::size_t others) {
    Bench bench;
    Scheduler scheduler(200, 8);
    Choice* watched = bench.add(500);
    for (std::size_t i = 0; i < others; ++i) bench.add_decoding(10 + i);
    for (std::size_t i = 0; i < others; ++i) bench.add(100 + 70 * i);
    std::vector<std::size_t> result;
    for (int i = 0; i < 60; ++i) {
      for (const PlannedChunk& chunk : bench.step(scheduler)) {
        if (chunk.choice == watched && watched->generated().size() <= 1) {
          result.push_back(watched->num_computed());
        }
      }
    }
    return result;
  };
  const auto alone = borders(0);
  EXPECT_EQ(alone, (std::vector<std::size_t>{192, 384, 500}));
  EXPECT_EQ(borders(2), alone);
  EXPECT_EQ(borders(4), alone);
}

TEST(Scheduler, ShortensPromptsToABound) {
  Bench bench;
  Scheduler scheduler(512, 4);
  bench.add_decoding(10);
  const Choice* first = bench.add(500);
  const Choice* second = bench.add(500);
  for (int i = 0; i < 2; ++i) {  // the two take turns
    const auto planned = bench.step(scheduler, 32);
    ASSERT_EQ(planned.size(), 2U);
    EXPECT_EQ(total(planned), 33U);
    EXPECT_TRUE(scheduler.has_shortened());
  }
  EXPECT_EQ(first->num_computed(), 32U);
  EXPECT_EQ(second->num_computed(), 32U);
}

TEST(Scheduler, SharesABoundAmongPromptsThatAreNearlyThrough) {
  Bench bench;
  Scheduler scheduler(512, 4);
  const Choice* first = bench.add(20);
  const Choice* second = bench.add(20);
  EXPECT_EQ(total(bench.step(scheduler, 32)), 32U);
  EXPECT_EQ(first->num_computed(), 20U);
  EXPECT_EQ(second->num_computed(), 12U);
  EXPECT_EQ(total(bench.step(scheduler, 32)), 9U);
  EXPECT_FALSE(scheduler.has_shortened());
}

TEST(Scheduler, EndsShortenedChunksAtTheSameBordersToo) {
  Bench bench;
  Scheduler scheduler(132, 4);
  const Choice* watched = bench.add(300);
  std::vector<std::size_t> ends;
  while (watched->generated().empty()) {
    bench.step(scheduler, 48);
    ends.push_back(watched->num_computed());
  }
  EXPECT_EQ(ends, (std::vector<std::size_t>{48, 96, 128, 176, 224, 256, 300}));
}

TEST(Scheduler, DoesNotBoundTokensThatAGrammarForced) {
  Bench bench;
  Scheduler scheduler(512, 4);
  Choice* forced = bench.add_decoding(10);
  for (int i = 0; i < 9; ++i) forced->append('z');
  bench.add(500);
  const auto planned = bench.step(scheduler, 16);
  ASSERT_EQ(planned.size(), 2U);
  EXPECT_EQ(total(planned), 10U + 16U);
}

TEST(Scheduler, TakesEveryDecodeAndNoMoreThanTheStepHolds) {
  Bench bench;
  Scheduler scheduler(100, 8);
  std::vector<Choice*> decoding;
  for (std::size_t i = 0; i < 7; ++i) decoding.push_back(bench.add_decoding(5));
  bench.add(1000);
  for (int i = 0; i < 10; ++i) {
    const auto planned = bench.step(scheduler);
    EXPECT_EQ(planned.size(), 8U);
    EXPECT_LE(total(planned), 100U);
  }
  for (const Choice* choice : decoding) EXPECT_EQ(choice->generated().size(), 11U);
}

TEST(Scheduler, SharesPrefillFairly) {
  Bench bench;
  Scheduler scheduler(68, 4);
  const Choice* first = bench.add(640);
  const Choice* second = bench.add(640);
  const Choice* third = bench.add(640);
  for (int i = 0; i < 9; ++i) bench.step(scheduler);
  EXPECT_EQ(first->num_computed(), 192U);
  EXPECT_EQ(second->num_computed(), 192U);
  EXPECT_EQ(third->num_computed(), 192U);
}

TEST(Scheduler, StarvesNobodyInStepsThatAreTooSmall) {
  Bench bench;
  Scheduler scheduler(4, 4);
  for (int i = 0; i < 3; ++i) bench.add_decoding(5);
  Choice* prefilling = bench.add(64);
  for (int i = 0; i < 40 && prefilling->generated().empty(); ++i) bench.step(scheduler);
  EXPECT_FALSE(prefilling->generated().empty());
}

TEST(Scheduler, PlansNothingForNobody) {
  Bench bench;
  Scheduler scheduler(64, 4);
  EXPECT_TRUE(bench.step(scheduler).empty());
}

}  // namespace
}  // namespace vernal
