// What the engine does when clients, models or backends fail.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "engine/engine.hpp"
#include "text/request/request_error.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::BenchOptions;
using test::EngineBench;
using test::StepModelControl;

constexpr const char* kLong = R"({"prompt": "abc", "max_tokens": 1500})";
constexpr const char* kShort = R"({"prompt": "abc", "max_tokens": 32})";

TEST(EngineFaults, CancelsARunningRequestWithinAStep) {
  EngineBench bench;
  const RequestId id = bench.submit(kLong);
  while (bench.next(id).type != VERNAL_EVENT_DELTA) {
  }
  bench.engine().cancel(id, "the server stops");
  bench.engine().cancel(id, "and again");
  const Answer answer = bench.read(id);
  EXPECT_EQ(answer.terminal.code, VERNAL_CANCELLED);
  EXPECT_EQ(answer.terminal.text, "The request was cancelled: the server stops.");
  EXPECT_EQ(answer.terminal.error_code, "cancelled");
  bench.eventually([&] { return bench.metric("vernal_requests_running") == 0.0; });
  const std::uint64_t steps = bench.control().num_steps;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(bench.control().num_steps, steps);
}

TEST(EngineFaults, CancelsDuringPrefillAndWhileQueued) {
  BenchOptions options;
  options.slots = 1;
  auto control = std::make_shared<StepModelControl>();
  control->close_gate();
  EngineBench bench(test::predict_letters, options, control);
  const RequestId prefilling =
      bench.submit(fmt::format(R"({{"prompt": "{}"}})", std::string(1500, 'x')));
  const RequestId queued = bench.submit(kLong);
  bench.eventually([&] { return control->num_steps == 1; });
  bench.engine().cancel(prefilling);
  bench.engine().cancel(queued);
  control->open_gate();
  EXPECT_EQ(bench.read(prefilling).terminal.code, VERNAL_CANCELLED);
  EXPECT_EQ(bench.read(queued).terminal.code, VERNAL_CANCELLED);
  EXPECT_LE(control->num_steps, 2U);
  EXPECT_TRUE(bench.run(kShort).is_finished());
}

TEST(EngineFaults, CancelsInTheIntake) {
  EngineBench bench;
  for (int i = 0; i < 50; ++i) {
    const RequestId id =
        bench.submit(fmt::format(R"({{"prompt": "{}"}})", std::string(20'000, 'x')));
    bench.engine().cancel(id);
    const std::int32_t code = bench.read(id).terminal.code;
    EXPECT_TRUE(code == VERNAL_CANCELLED || code == VERNAL_CONTEXT_OVERFLOW) << code;
    bench.engine().release(id);
  }
}

TEST(EngineFaults, ReleasesARequestThatIsNotWaitedFor) {
  EngineBench bench;
  std::atomic<int> calls{0};
  for (int i = 0; i < 20; ++i) {
    auto counter = std::make_unique<std::atomic<int>>(0);
    const RequestId id = bench.submit(kLong, [&](RequestId) {
      ++*counter;
      ++calls;
    });
    if (i % 2 == 0) bench.eventually([&] { return *counter > 0; });
    bench.engine().release(id);
    counter.reset();  // a callback now would touch freed memory
  }
  bench.eventually([&] { return bench.engine().num_open_requests() == 0; });
  EXPECT_GT(calls, 0);
}

TEST(EngineFaults, PausesAClientThatDoesNotReadAndGoesOnWhenItDoes) {
  BenchOptions options;
  options.engine.event_limits.max_tokens = 16;
  EngineBench bench(test::predict_letters, options);
  const RequestId slow = bench.submit(R"({"prompt": "abc", "max_tokens": 200, "seed": 1})");
  EXPECT_EQ(bench.run(R"({"prompt": "abc", "max_tokens": 500})").texts[0].size(), 0U + 500U);
  const std::uint64_t steps = bench.control().num_steps;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(bench.control().num_steps, steps) << "a paused request takes no steps";
  EXPECT_EQ(bench.read(slow).texts[0].size(), 200U);
}

TEST(EngineFaults, EndsAClientThatStalls) {
  BenchOptions options;
  options.engine.event_limits.max_tokens = 16;
  options.limits.stall_timeout = milliseconds(30);
  EngineBench bench(test::predict_letters, options);
  const RequestId id = bench.submit(kLong);
  bench.eventually([&] { return bench.engine().num_open_requests() == 0; });
  const Answer answer = bench.read(id);
  EXPECT_EQ(answer.terminal.code, VERNAL_CLIENT_STALLED);
  EXPECT_LE(answer.texts[0].size(), 17U);
}

TEST(EngineFaults, GivesTheSlotOfAClientThatDoesNotReadToSomebodyWhoWaits) {
  const std::string document =
      fmt::format(R"({{"prompt": "{}", "max_tokens": 200, "seed": 5}})", std::string(100, 'p'));
  BenchOptions options;
  options.slots = 1;
  options.engine.event_limits.max_tokens = 16;
  options.limits.pause_grace = milliseconds(10);
  EngineBench bench(test::predict_letters, options);
  const RequestId slow = bench.submit(document);
  bench.eventually([&] { return bench.metric("vernal_generated_tokens_total") >= 16; });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bench.run(kShort).is_finished());
  EXPECT_EQ(bench.read(slow).texts[0], EngineBench().run(document).texts[0]);
  EXPECT_GT(bench.metric("vernal_preemptions_total"), 0.0);
}

TEST(EngineFaults, KeepsDeadlines) {
  BenchOptions options;
  options.slots = 1;
  auto control = std::make_shared<StepModelControl>();
  control->on_step = [](std::uint64_t, std::span<const StepChunk>) {
    std::this_thread::sleep_for(milliseconds(1));
  };
  EngineBench bench(test::predict_letters, options, control);
  const RequestId running = bench.submit(R"({"prompt": "a", "deadline_ms": 40})");
  const RequestId queued = bench.submit(R"({"prompt": "b", "deadline_ms": 10})");
  for (const RequestId id : {running, queued}) {
    const Answer answer = bench.read(id);
    EXPECT_EQ(answer.terminal.code, VERNAL_DEADLINE);
    EXPECT_EQ(answer.terminal.http_hint, 504U);
  }
}

// One request of two choices holds both slots. Requests that wait are counted, not choices.
TEST(EngineFaults, CountsAsWaitingWhoHoldsNoSlot) {
  BenchOptions options;
  options.slots = 2;
  options.limits.max_queue = 1;
  auto control = std::make_shared<StepModelControl>();
  control->on_step = [&](std::uint64_t step, std::span<const StepChunk>) {
    if (step == 2) control->close_gate();
  };
  EngineBench bench(test::predict_letters, options, control);
  const RequestId both = bench.submit(R"({"prompt": "abc", "n": 2, "max_tokens": 9})");
  bench.eventually([&] { return bench.control().num_steps == 2; });
  const RequestId waiting = bench.submit(kShort);
  EXPECT_EQ(bench.metric("vernal_requests_running"), 1.0);
  EXPECT_EQ(bench.metric("vernal_requests_queued"), 1.0);
  EXPECT_THROW(bench.submit(kShort), RequestError);
  control->open_gate();
  EXPECT_TRUE(bench.read(both).is_finished());
  EXPECT_TRUE(bench.read(waiting).is_finished());
}

TEST(EngineFaults, RefusesMoreThanTheQueueHolds) {
  BenchOptions options;
  options.slots = 1;
  options.limits.max_queue = 2;  // beside the one in the slot
  auto control = std::make_shared<StepModelControl>();
  control->close_gate();
  EngineBench bench(test::predict_letters, options, control);
  std::vector<RequestId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(bench.submit(kShort));
  try {
    bench.submit(kShort);
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_EQ(error.code(), VERNAL_QUEUE_FULL);
    EXPECT_EQ(error.kind().http_status, 503U);
    EXPECT_TRUE(error.kind().is_retryable);
    EXPECT_NE(std::string(error.what()).find("at capacity"), std::string::npos);
  }
  control->open_gate();
  for (const RequestId id : ids) EXPECT_TRUE(bench.read(id).is_finished());
  EXPECT_TRUE(bench.run(kShort).is_finished());
}

TEST(EngineFaults, RefusesMoreBytesThanTheIntakeHolds) {
  BenchOptions options;
  options.engine.max_intake_bytes = 1000;
  options.engine.num_intake_threads = 1;
  EngineBench bench(test::predict_letters, options);
  const std::string document = fmt::format(R"({{"prompt": "{}"}})", std::string(900, 'x'));
  int refused = 0;
  std::vector<RequestId> ids;
  std::atomic<int> calls{0};
  for (int i = 0; i < 200; ++i) {
    try {
      ids.push_back(bench.submit(document, [&](RequestId) { ++calls; }));
    } catch (const RequestError& error) {
      EXPECT_EQ(error.code(), VERNAL_QUEUE_FULL);
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  for (const RequestId id : ids) bench.engine().release(id);
}

// Every step of a 32-token answer fails once, in begin_step and in wait_step, while another request
// runs.
TEST(EngineFaults, EndsOnlyTheRequestsOfAFailedStep) {
  for (std::uint64_t failing = 1; failing <= 33; ++failing) {
    for (const bool at_begin : {true, false}) {
      auto control = std::make_shared<StepModelControl>();
      const Error error(VERNAL_INTERNAL, "kernel failed");
      if (at_begin) {
        control->on_step = [=](std::uint64_t step, std::span<const StepChunk>) {
          if (step == failing) throw error;
        };
      } else {
        control->fail_wait = [=](std::uint64_t step) {
          return step == failing ? std::optional(error) : std::nullopt;
        };
      }
      EngineBench bench(test::predict_letters, {}, control);
      const Answer answer = bench.run(kShort);
      EXPECT_EQ(answer.is_finished(), failing > 32) << failing;
      if (!answer.is_finished()) {
        EXPECT_EQ(answer.terminal.code, VERNAL_INTERNAL);
        EXPECT_EQ(answer.terminal.http_hint, 500U);
        EXPECT_EQ(answer.terminal.text, "kernel failed");
        EXPECT_EQ(answer.texts[0].size(), failing - 1);
      }
      EXPECT_EQ(bench.run(R"({"prompt": "z", "max_tokens": 40})").is_finished(), failing <= 32);
      EXPECT_EQ(bench.engine().health().state, VERNAL_MODEL_READY);
    }
  }
}

TEST(EngineFaults, LetsOthersGoOnWhenAStepFails) {
  // The failing step holds only the paused request's neighbour.
  BenchOptions options;
  options.engine.event_limits.max_tokens = 8;
  auto control = std::make_shared<StepModelControl>();
  std::atomic<bool> fails{false};
  control->on_step = [&](std::uint64_t, std::span<const StepChunk>) {
    if (fails.exchange(false)) throw Error(VERNAL_RESOURCE_EXHAUSTED, "no memory for a buffer");
  };
  EngineBench bench(test::predict_letters, options, control);
  const RequestId paused = bench.submit(R"({"prompt": "abc", "max_tokens": 60})");
  bench.eventually([&] { return bench.metric("vernal_generated_tokens_total") >= 8; });
  fails = true;
  EXPECT_EQ(bench.run(kShort).terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(bench.read(paused).texts[0].size(), 60U);
}

TEST(EngineFaults, SurvivesExceptionsOfAnyKind) {
  auto control = std::make_shared<StepModelControl>();
  control->on_step = [](std::uint64_t step, std::span<const StepChunk>) {
    if (step == 2) throw std::bad_alloc();
    if (step == 3) throw std::runtime_error("odd");
  };
  EngineBench bench(test::predict_letters, {}, control);
  EXPECT_EQ(bench.run(kShort).terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(bench.run(kShort).terminal.code, VERNAL_INTERNAL);
  EXPECT_TRUE(bench.run(kShort).is_finished());
}

TEST(EngineFaults, EndsRequestsWhoseLogitsAreNoNumbers) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    const auto predict = [bad](std::span<const TokenId> tokens, std::span<float> logits) {
      test::predict_letters(tokens, logits);
      if (tokens[0] == 'B' && tokens.size() > 10) {
        if (std::isinf(bad) && bad < 0) {
          std::fill(logits.begin(), logits.end(), bad);
        } else {
          logits[77] = bad;
        }
      }
    };
    EngineBench bench(predict);
    const RequestId good = bench.submit(R"({"prompt": "Good", "max_tokens": 100})");
    const RequestId broken = bench.submit(R"({"prompt": "Bad", "max_tokens": 100, "n": 2})");
    const Answer answer = bench.read(broken);
    EXPECT_EQ(answer.terminal.code, VERNAL_INTERNAL);
    EXPECT_EQ(answer.terminal.http_hint, 500U);
    EXPECT_TRUE(bench.read(good).is_finished());
  }
}

TEST(EngineFaults, FailsTheModelWhenItsDeviceIsLost) {
  auto control = std::make_shared<StepModelControl>();
  control->on_step = [](std::uint64_t step, std::span<const StepChunk>) {
    if (step == 3) throw Error(VERNAL_DEVICE_LOST, "the device fell off the bus");
  };
  BenchOptions options;
  options.limits.step_timeout = milliseconds(40);  // the watchdog looks often
  EngineBench bench(test::predict_letters, options, control);
  const RequestId id = bench.submit(kLong);
  EXPECT_EQ(bench.read(id).terminal.code, VERNAL_DEVICE_LOST);
  bench.eventually([&] { return bench.engine().health().state == VERNAL_MODEL_FAILED; });
  EXPECT_EQ(bench.engine().models()[0].status.state, VERNAL_MODEL_FAILED);
  EXPECT_THROW(bench.submit(kShort), RequestError);
  EXPECT_EQ(bench.engine().num_open_requests(), 0U);
}

TEST(EngineFaults, EndsRequestsOfAStepThatHangsAndRecovers) {
  BenchOptions options;
  options.slots = 1;
  options.limits.step_timeout = milliseconds(40);
  auto control = std::make_shared<StepModelControl>();
  EngineBench bench(test::predict_letters, options, control);
  control->close_gate();
  const RequestId hung = bench.submit(kShort);
  const RequestId queued = bench.submit(kShort);
  const Answer answer = bench.read(hung);
  EXPECT_EQ(answer.terminal.code, VERNAL_DEADLINE);
  EXPECT_EQ(answer.terminal.http_hint, 504U);
  EXPECT_EQ(bench.read(queued).terminal.code, VERNAL_UNAVAILABLE);
  EXPECT_EQ(bench.engine().health().state, VERNAL_MODEL_FAILED);
  EXPECT_THROW(bench.submit(kShort), RequestError);
  control->open_gate();
  bench.eventually([&] { return bench.engine().health().state == VERNAL_MODEL_READY; });
  EXPECT_TRUE(bench.run(kShort).is_finished());
}

TEST(EngineFaults, StopsWithoutAStepThatNeverEnds) {
  auto control = std::make_shared<StepModelControl>();
  control->predict = test::predict_letters;
  std::ostringstream text;
  Log log(LogLevel::kInfo, text);
  auto engine = std::make_unique<Engine>(EngineOptions(), log);
  ModelDescription description;
  description.id = "m";
  engine->declare_model(description, {});
  LoadedModel model;
  model.id = "m";
  model.tokenizer = test::make_byte_tokenizer();
  model.context_length = 100;
  model.steps = std::make_unique<test::ScriptedStepModel>(control);
  engine->start_model(std::move(model));
  control->close_gate();
  SubmitArguments arguments;
  arguments.model = "m";
  arguments.document = kShort;
  const RequestId id = engine->submit(arguments);
  while (control->num_steps == 0) std::this_thread::yield();
  EXPECT_FALSE(engine->stop(milliseconds(20)));
  std::optional<Event> last;
  while (auto event = engine->poll(id)) last = event;
  ASSERT_TRUE(last);
  EXPECT_EQ(last->type, VERNAL_EVENT_ERROR);
  engine.reset();
  // The thread that still runs the step releases everything when the step ends.
  control->open_gate();
  while (control.use_count() > 1) std::this_thread::sleep_for(milliseconds(1));
}

TEST(EngineFaults, DrainsAndStops) {
  EngineBench bench;
  const RequestId running = bench.submit(R"({"prompt": "abc", "max_tokens": 300})");
  bench.engine().begin_drain();
  EXPECT_EQ(bench.engine().models()[0].status.state, VERNAL_MODEL_DRAINING);
  try {
    bench.submit(kShort);
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_EQ(error.code(), VERNAL_UNAVAILABLE);
  }
  EXPECT_TRUE(bench.read(running).is_finished());
  EXPECT_EQ(bench.engine().num_open_requests(), 0U);
}

TEST(EngineFaults, EndsWhatIsLeftAtTheStop) {
  EngineBench bench;
  std::vector<RequestId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(bench.submit(kLong));
  EXPECT_TRUE(bench.engine().stop(std::chrono::seconds(30)));
  for (const RequestId id : ids) {
    const Event terminal = bench.read(id).terminal;
    EXPECT_TRUE(terminal.code == VERNAL_UNAVAILABLE || terminal.code == VERNAL_OK);
  }
  EXPECT_THROW(bench.submit(kShort), RequestError);
}

TEST(EngineFaults, ReportsAModelThatCannotBeOpened) {
  class Unopenable final : public StepModel {
   public:
    void open() override { throw Error(VERNAL_RESOURCE_EXHAUSTED, "no memory for the pool"); }
    StepModelInfo info() const override { return {}; }
    std::optional<SequenceId> create_sequence() override { return std::nullopt; }
    void release_sequence(SequenceId) noexcept override {}
    std::uint64_t length(SequenceId, FunctionId) override { return 0; }
    bool reserve(SequenceId, std::uint64_t) override { return false; }
    std::uint64_t restorable(SequenceId, std::uint64_t) override { return 0; }
    bool truncate(SequenceId, std::uint64_t) override { return false; }
    std::optional<SequenceId> fork(SequenceId, std::uint64_t) override { return std::nullopt; }
    void begin_step(std::span<const StepChunk>) override {}
    bool wait_step(milliseconds) override { return true; }
    std::span<const float> logits(std::size_t) const override { return {}; }
    void end_step() noexcept override {}
  };
  std::ostringstream text;
  Log log(LogLevel::kInfo, text);
  Engine engine({}, log);
  ModelDescription description;
  description.id = "m";
  engine.declare_model(description, {});
  LoadedModel model;
  model.id = "m";
  model.tokenizer = test::make_byte_tokenizer();
  model.steps = std::make_unique<Unopenable>();
  EXPECT_THROW(engine.start_model(std::move(model)), Error);
  EXPECT_EQ(engine.health().state, VERNAL_MODEL_FAILED);
  EXPECT_NE(engine.health().reason.find("no memory for the pool"), std::string::npos);
}

}  // namespace
}  // namespace vernal
