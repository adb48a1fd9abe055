// Who gets a slot and room, what is reused, and who shares a step.
#include "engine/engine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::BenchOptions;
using test::EngineBench;

TEST(Engine, DecodesTogetherAndSharesStepsWithPrefill) {
  BenchOptions options;
  options.slots = 4;
  EngineBench bench(test::predict_letters, options);
  bench.control().close_gate();
  std::vector<RequestId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(bench.submit(R"({"prompt": "abc", "max_tokens": 50})"));
  for (const RequestId id : ids) EXPECT_EQ(bench.next(id).type, VERNAL_EVENT_ACCEPTED);
  bench.control().open_gate();
  for (const RequestId id : ids) EXPECT_TRUE(bench.read(id).is_finished());
  EXPECT_LT(bench.control().num_steps, 4 * 50U);
  EXPECT_LE(bench.control().num_steps, 110U);
}

TEST(Engine, SeatsByPriorityThenByArrival) {
  BenchOptions options;
  options.slots = 1;
  options.engine.num_intake_threads = 1;
  std::mutex mutex;
  std::string order;
  auto control = std::make_shared<test::StepModelControl>();
  control->on_step = [&](std::uint64_t, std::span<const StepChunk> chunks) {
    const std::lock_guard lock(mutex);
    const char first = static_cast<char>(chunks[0].tokens[0]);
    if (chunks[0].first_position == 0) order += first;
  };
  control->close_gate();
  EngineBench bench(test::predict_letters, options, control);
  std::vector<RequestId> ids;
  for (const char* document :
       {R"({"prompt": "A", "max_tokens": 2})", R"({"prompt": "B", "max_tokens": 2})",
        R"({"prompt": "C", "max_tokens": 2, "priority": 5})",
        R"({"prompt": "D", "max_tokens": 2})"}) {
    ids.push_back(bench.submit(document));
    EXPECT_EQ(bench.next(ids.back()).type, VERNAL_EVENT_ACCEPTED);
    if (ids.size() == 1) {
      EXPECT_EQ(bench.next(ids[0]).type, VERNAL_EVENT_STARTED);
    }
  }
  control->open_gate();
  for (const RequestId id : ids) EXPECT_TRUE(bench.read(id).is_finished());
  EXPECT_EQ(order, "ACBD");
}

TEST(Engine, KeepsBothConversationsThatBeginWithTheSameTokens) {
  BenchOptions options;
  options.slots = 2;
  EngineBench bench(test::predict_letters, options);
  const std::string system(300, 's');
  const auto cached = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt))
        .terminal.cached_tokens;
  };
  const std::string first = system + std::string(500, 'a');
  const std::string second = system + std::string(400, 'b');
  EXPECT_EQ(cached(first), 0U);
  EXPECT_EQ(cached(second), 256U);  // a copy: the first conversation is still there
  EXPECT_EQ(cached(first + "and so on"), 768U);
  EXPECT_EQ(cached(second + "and so on"), 640U);
  // With both slots full, the one that a third begins like is cut only if the other holds more.
  EXPECT_EQ(cached(second + "and on"), 704U);
  EXPECT_EQ(cached(first + "and on"), 768U);
}

TEST(Engine, DoesNotCutALongConversationForAFewTokensWhereItCannotCopyThem) {
  BenchOptions options;
  options.slots = 2;
  options.max_checkpoints = 1;  // of which the scripted model makes none
  const auto control = std::make_shared<test::StepModelControl>();
  control->truncates_anywhere = false;
  control->rollback_depth = 1000;
  EngineBench bench(test::predict_letters, options, control);
  const auto cached = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt))
        .terminal.cached_tokens;
  };
  const std::string system(130, 's');
  const std::string first = system + std::string(670, 'a');
  EXPECT_EQ(cached(first), 0U);
  EXPECT_EQ(cached(system + std::string(500, 'b')), 0U);  // 128 could be had for 640
  EXPECT_EQ(cached(first + "and so on"), 768U);
}

TEST(Engine, ReusesTheTokensThatTwoPromptsBeginWith) {
  BenchOptions options;
  options.slots = 1;
  EngineBench bench(test::predict_letters, options);
  const std::string prefix(300, 's');
  const auto ask = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt));
  };
  EXPECT_EQ(ask(prefix + "one").terminal.cached_tokens, 0U);
  const Answer second = ask(prefix + "two");
  EXPECT_EQ(second.terminal.cached_tokens, 256U);  // a multiple of 64
  EXPECT_EQ(second.find(VERNAL_EVENT_STARTED)->cached_tokens, 256U);
  EngineBench fresh(test::predict_letters, options);
  EXPECT_EQ(
      fresh.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prefix + "two"))
          .texts[0],
      second.texts[0]);
  EXPECT_EQ(ask("short").terminal.cached_tokens, 0U);
}

TEST(Engine, WaitsForRoomInThePoolAndPutsBackTheLast) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 500;
  BenchOptions options;
  options.slots = 4;
  options.context_length = 400;
  EngineBench bench(test::predict_letters, options, control);
  std::vector<RequestId> ids;
  for (int i = 0; i < 6; ++i) {
    ids.push_back(bench.submit(fmt::format(R"({{"prompt": "{}", "seed": 3, "max_tokens": 300}})",
                                           std::string(40, static_cast<char>('a' + i)))));
  }
  std::vector<std::string> texts;
  for (const RequestId id : ids) {
    const Answer answer = bench.read(id);
    ASSERT_TRUE(answer.is_finished()) << answer.terminal.text;
    EXPECT_EQ(answer.texts[0].size(), 300U);
    texts.push_back(answer.texts[0]);
  }
  EXPECT_GT(bench.metric("vernal_preemptions_total"), 0.0);
  EngineBench roomy;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(roomy
                  .run(fmt::format(R"({{"prompt": "{}", "seed": 3, "max_tokens": 300}})",
                                   std::string(40, static_cast<char>('a' + i))))
                  .texts[0],
              texts[static_cast<std::size_t>(i)]);
  }
}

TEST(Engine, RefusesWhatTheWholePoolCannotHold) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 100;
  EngineBench bench(test::predict_letters, {}, control);
  const Answer answer = bench.run(fmt::format(R"({{"prompt": "{}"}})", std::string(200, 'x')));
  EXPECT_EQ(answer.terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(answer.terminal.http_hint, 503U);
  const Answer grown = bench.run(fmt::format(R"({{"prompt": "{}"}})", std::string(60, 'x')));
  EXPECT_EQ(grown.terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(grown.texts[0].size(), 41U);
  EXPECT_TRUE(bench.run(R"({"prompt": "x", "max_tokens": 5})").is_finished());
}

TEST(Engine, SeatsTheNextWhenARequestOutgrowsThePool) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 100;
  BenchOptions options;
  options.slots = 1;
  EngineBench bench(test::predict_letters, options, control);
  const RequestId growing =
      bench.submit(fmt::format(R"({{"prompt": "{}"}})", std::string(60, 'x')));
  const RequestId next = bench.submit(R"({"prompt": "x", "max_tokens": 5})");
  EXPECT_EQ(bench.read(growing).terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_TRUE(bench.read(next).is_finished());
}

}  // namespace
}  // namespace vernal
