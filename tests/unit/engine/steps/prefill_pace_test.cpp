#include "engine/steps/prefill_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "../engine_bench.hpp"

namespace vernal {
namespace {

using std::chrono::milliseconds;
using test::BenchOptions;
using test::EngineBench;

TEST(PrefillPace, IsOffWithoutATime) {
  EXPECT_FALSE(PrefillPace(milliseconds(0)).is_on());
  EXPECT_TRUE(PrefillPace(milliseconds(1)).is_on());
}

TEST(PrefillPace, TakesAsManyTokensAsFitIntoTheTime) {
  PrefillPace pace(milliseconds(250));
  pace.observe(400, 4.05, 0.05);  // 10 ms a token
  EXPECT_EQ(pace.most_tokens(0.05), 16U);
  PrefillPace faster(milliseconds(250));
  faster.observe(400, 0.45, 0.05);            // 1 ms a token
  EXPECT_EQ(faster.most_tokens(0.05), 192U);  // 200 ms, at a multiple of 16
}

TEST(PrefillPace, GivesPromptsAsMuchTimeAsSlowDecodes) {
  PrefillPace pace(milliseconds(250));
  pace.observe(400, 5.0, 1.0);  // 10 ms a token
  EXPECT_EQ(pace.most_tokens(1.0), 96U);
}

TEST(PrefillPace, LearnsThatTokensBecomeDearerWithDepth) {
  PrefillPace pace(milliseconds(250));
  pace.observe(400, 0.4, 0.0);
  EXPECT_EQ(pace.most_tokens(0.0), 240U);
  for (int i = 0; i < 20; ++i) pace.observe(200, 0.38, 0.0);
  EXPECT_EQ(pace.most_tokens(0.0), 128U);
}

TEST(PrefillPace, OneSlowStepSaysLittle) {
  PrefillPace pace(milliseconds(250));
  pace.observe(400, 0.4, 0.0);
  pace.observe(400, 2.0, 0.0);
  EXPECT_GE(pace.most_tokens(0.0), 176U);
}

TEST(PrefillPace, BeginsWithAFewTokensAndIgnoresShortPrompts) {
  PrefillPace pace(milliseconds(250));
  EXPECT_EQ(pace.most_tokens(0.1), 64U);
  pace.observe(15, 9.0, 0.0);
  EXPECT_EQ(pace.most_tokens(0.1), 64U);
}

// ---- the engine -----------------------------------------------------------------------------------

constexpr std::int64_t kDecodeMs = 40;
constexpr std::int64_t kPromptTokenMs = 4;

/// What the steps of an engine had, by a clock that goes on with their tokens.
struct Observed {
  std::size_t most_alone = 0;   ///< tokens of prompts in a step without decodes
  std::size_t most_beside = 0;  ///< in a step with one
  std::int64_t longest_beside_ms = 0;
  double num_shortened = 0;
  std::string text;  ///< of the answer to the long prompt
};

struct Setting {
  milliseconds max_step_time{250};
  bool is_chunk_invariant = true;
  bool has_neighbour = true;  ///< an answer is being written when the long prompt comes
};

Observed observe(const Setting& setting) {
  Observed seen;
  std::int64_t now_ms = 0;  // engine thread, as all that the steps write
  auto control = std::make_shared<test::StepModelControl>();
  control->is_chunk_invariant = setting.is_chunk_invariant;
  control->on_step = [&](std::uint64_t, std::span<const StepChunk> chunks) {
    std::size_t num_prompt = 0;
    bool has_decode = false;
    for (const StepChunk& chunk : chunks) {
      has_decode |= chunk.tokens.size() == 1;
      if (chunk.tokens.size() > 1) num_prompt += chunk.tokens.size();
    }
    const std::int64_t ms = kDecodeMs + kPromptTokenMs * static_cast<std::int64_t>(num_prompt);
    now_ms += ms;
    std::size_t& most = has_decode ? seen.most_beside : seen.most_alone;
    most = std::max(most, num_prompt);
    if (has_decode && num_prompt > 0) {
      seen.longest_beside_ms = std::max(seen.longest_beside_ms, ms);
    }
  };
  BenchOptions options;
  options.max_tokens_per_step = 516;
  options.engine.event_limits.max_tokens = 2000;  // nobody reads the neighbour's answer meanwhile
  options.max_step_time = setting.max_step_time;
  options.step_clock = [&] { return std::chrono::steady_clock::time_point(milliseconds(now_ms)); };
  EngineBench bench(test::predict_letters, options, control);
  control->close_gate();  // the first step does not end before the long prompt is there
  std::optional<RequestId> neighbour;
  if (setting.has_neighbour) {
    neighbour = bench.submit(R"({"prompt": ")" + std::string(100, 'n') +
                             R"(", "max_tokens": 1500, "sampling": {"temperature": 0}})");
    EXPECT_EQ(bench.next(*neighbour).type, VERNAL_EVENT_ACCEPTED);
  }
  const RequestId id = bench.submit(R"({"prompt": ")" + std::string(1000, 'p') +
                                    R"(", "max_tokens": 20, "sampling": {"temperature": 0}})");
  EXPECT_EQ(bench.next(id).type, VERNAL_EVENT_ACCEPTED);
  control->open_gate();
  seen.text = bench.read(id).texts[0];
  if (neighbour) bench.read(*neighbour);
  seen.num_shortened = bench.metric("vernal_shortened_steps_total");
  bench.stop();
  return seen;
}

TEST(EnginePace, PromptsGiveWayToAnAnswerThatIsBeingWritten) {
  const Observed seen = observe({});
  EXPECT_EQ(seen.most_beside, 48U) << "40 ms of a decode and 48 x 4 ms are below 250 ms";
  EXPECT_LE(seen.longest_beside_ms, 250);
  EXPECT_GE(seen.num_shortened, 20.0);
}

TEST(EnginePace, ChunksAreWholeWhereNobodyWaits) {
  const Observed seen = observe({.has_neighbour = false});
  EXPECT_EQ(seen.most_alone, 512U);
  EXPECT_EQ(seen.num_shortened, 0.0);
}

TEST(EnginePace, ChunksAreWholeWithoutABound) {
  const Observed seen = observe({.max_step_time = milliseconds(0)});
  EXPECT_EQ(seen.most_beside, 512U);
  EXPECT_EQ(seen.num_shortened, 0.0);
}

TEST(EnginePace, ChunksAreWholeWhereResultsDependOnTheirBorders) {
  const Observed seen = observe({.is_chunk_invariant = false});
  EXPECT_EQ(seen.most_beside, 512U);
  EXPECT_EQ(seen.num_shortened, 0.0);
}

TEST(EnginePace, SaysSoWhereTheBoundHasNoEffect) {
  const auto log_of = [](bool is_chunk_invariant, milliseconds bound, std::uint32_t slots) {
    auto control = std::make_shared<test::StepModelControl>();
    control->is_chunk_invariant = is_chunk_invariant;
    BenchOptions options;
    options.max_step_time = bound;
    options.slots = slots;
    const EngineBench bench(test::predict_letters, options, control);
    return bench.log_text();
  };
  const std::string said = log_of(false, milliseconds(250), 4);
  EXPECT_NE(said.find("warning model m: max_step_time of 250 ms does not bound its steps"),
            std::string::npos)
      << said;
  EXPECT_EQ(log_of(true, milliseconds(250), 4), "");
  EXPECT_EQ(log_of(false, milliseconds(0), 4), "") << "nobody asked for a bound";
  EXPECT_EQ(log_of(false, milliseconds(250), 1), "") << "there is nobody else to wait";
}

TEST(EnginePace, AnswersAreTheSame) {
  const std::string alone = observe({.has_neighbour = false}).text;
  EXPECT_EQ(alone.size(), 20U);
  EXPECT_EQ(observe({}).text, alone);
  EXPECT_EQ(observe({.max_step_time = milliseconds(50)}).text, alone);
}

}  // namespace
}  // namespace vernal
