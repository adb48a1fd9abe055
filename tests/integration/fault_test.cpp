// Every scripted fault at every step of an answer of 32 tokens: the request in progress ends with
// one clear error, the next one is answered, and nothing hangs.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <unistd.h>

#include "command/memory_table.hpp"
#include "engine/engine.hpp"
#include "serving/model_host.hpp"
#include "serving/server.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

constexpr std::uint64_t kAnswerTokens = 32;

/// A file with a deployment of the fault backend.
class FaultDeployment {
 public:
  FaultDeployment(const std::string& fault, std::uint64_t step,
                  const std::string& model_keys = "") {
    const auto folder = std::filesystem::temp_directory_path();
    file_ = folder / ("vernal-fault-" + std::to_string(::getpid()) + ".toml");
    std::ofstream stream(file_);
    stream << "schema = 1\n[runtime]\nplugin_paths = [\"" VERNAL_TEST_PLUGIN_DIR
              "\", \"" VERNAL_PLUGIN_DIR
              "\"]\nlog_level = \"off\"\n[backends.fault]\nplugin = \"fault\"\nfault = \""
           << fault << "\"\nfirst_step = " << step
           << "\nhang = \"400ms\"\n[models.tiny]\npath = \"" VERNAL_GOLDEN_DIR
              "/models/tiny-llama.gguf\"\nbackend = \"fault\"\ncontext_length = 512\nslots = 2\n"
           << model_keys;
  }
  ~FaultDeployment() { std::filesystem::remove(file_); }
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

struct Outcome {
  std::uint64_t tokens = 0;
  std::uint32_t terminal_events = 0;
  std::int32_t code = VERNAL_OK;
  std::string text;
};

Outcome run(Engine& engine) {
  SubmitArguments submit;
  submit.model = "tiny";
  const std::string document = R"({"kind": "generate", "prompt": "Hello world", "max_tokens": )" +
                               std::to_string(kAnswerTokens) + "}";
  submit.document = document;
  Outcome outcome;
  const RequestId request = engine.submit(submit);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (outcome.terminal_events == 0 && std::chrono::steady_clock::now() < limit) {
    const auto event = engine.wait(request, std::chrono::milliseconds(100));
    if (!event) continue;
    outcome.tokens += event->type == VERNAL_EVENT_DELTA ? event->tokens.size() : 0;
    outcome.terminal_events += event->is_terminal() ? 1 : 0;
    if (event->type == VERNAL_EVENT_ERROR) {
      outcome.code = event->code;
      outcome.text = event->text;
    }
  }
  EXPECT_FALSE(engine.poll(request)) << "an event after the terminal one";
  engine.release(request);
  return outcome;
}

/// Runs one request that meets the fault, and one after it.
class FaultAtEveryStep : public testing::TestWithParam<const char*> {};

TEST_P(FaultAtEveryStep, HarmsItsOwnRequestAlone) {
  for (std::uint64_t step = 1; step <= kAnswerTokens; ++step) {
    const FaultDeployment deployment(GetParam(), step);
    ControlSignals signals;
    Log log(LogLevel::kOff);
    OpenDeployment open(deployment.file(), log);
    Server server(open, signals);
    ASSERT_TRUE(server.load());
    const Outcome hit = run(server.engine());
    ASSERT_EQ(hit.terminal_events, 1U) << GetParam() << " at step " << step << " hangs";
    EXPECT_NE(hit.code, VERNAL_OK) << GetParam() << " at step " << step;
    EXPECT_FALSE(hit.text.empty());
    const Outcome after = run(server.engine());
    EXPECT_EQ(after.terminal_events, 1U);
    EXPECT_EQ(after.code, VERNAL_OK) << GetParam() << " at step " << step << ": " << after.text;
    EXPECT_EQ(after.tokens, kAnswerTokens);
    EXPECT_EQ(server.engine().health().state, VERNAL_MODEL_READY);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FaultAtEveryStep,
                         testing::Values("submit_error", "submit_out_of_memory", "submit_exception",
                                         "wait_error", "wait_out_of_memory", "wait_exception",
                                         "nan", "all_minus_infinity", "wrong_shape",
                                         "null_output"));

class LostDevice : public testing::TestWithParam<const char*> {};

TEST_P(LostDevice, FailsTheModelAndNothingElse) {
  for (std::uint64_t step = 1; step <= kAnswerTokens; ++step) {
    const FaultDeployment deployment(GetParam(), step);
    ControlSignals signals;
    Log log(LogLevel::kOff);
    OpenDeployment open(deployment.file(), log);
    Server server(open, signals);
    ASSERT_TRUE(server.load());
    const Outcome hit = run(server.engine());
    ASSERT_EQ(hit.terminal_events, 1U) << "step " << step;
    EXPECT_EQ(hit.code, VERNAL_DEVICE_LOST) << hit.text;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (server.engine().health().state != VERNAL_MODEL_FAILED &&
           std::chrono::steady_clock::now() < limit) {
      std::this_thread::yield();
    }
    EXPECT_EQ(server.engine().health().state, VERNAL_MODEL_FAILED);
    EXPECT_THROW(run(server.engine()), Error);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LostDevice,
                         testing::Values("submit_device_lost", "wait_device_lost"));

TEST(Fault, AHungStepEndsItsRequestAtTheDeadlineAndTheModelComesBack) {
  for (const std::uint64_t step : {1U, 2U, 17U, 32U}) {
    const FaultDeployment deployment("hang", step, "step_timeout = \"100ms\"\n");
    ControlSignals signals;
    Log log(LogLevel::kOff);
    OpenDeployment open(deployment.file(), log);
    Server server(open, signals);
    ASSERT_TRUE(server.load());
    const Outcome hit = run(server.engine());
    ASSERT_EQ(hit.terminal_events, 1U) << "step " << step;
    EXPECT_EQ(hit.code, VERNAL_DEADLINE) << hit.text;
    // The step ends by itself 400 ms after it began. Until then the model says what is wrong.
    Outcome after;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      try {
        after = run(server.engine());
      } catch (const Error& error) {
        after.code = error.code();
      }
    } while (after.code != VERNAL_OK && std::chrono::steady_clock::now() < limit);
    EXPECT_EQ(after.code, VERNAL_OK) << after.text;
  }
}

/// The result of planning with these keys of kv_cache: a refusal, or the output of `vernal plan`.
struct Planned {
  std::string refusal;
  std::string table;
  std::string log;
};

Planned plan(const std::string& fault, const std::string& kv_cache) {
  const FaultDeployment deployment(fault, 1, "kv_cache = { " + kv_cache + " }\n");
  std::ostringstream text;
  Log log(LogLevel::kOff, text);
  OpenDeployment open(deployment.file(), log);
  log.set_level(LogLevel::kWarning);
  try {
    open.plan_models();
  } catch (const Error& error) {
    return {error.what(), "", text.str()};
  }
  return {"", memory_table(open.model("tiny")), text.str()};
}

TEST(Fault, ABackendWithoutRotationPlansWithoutItUnlessItIsAskedFor) {
  const std::string kQuantised = "keys = \"q8_0\", values = \"f16\"";
  const Planned unsaid = plan("no_rotation", kQuantised);
  EXPECT_EQ(unsaid.refusal, "");
  for (const std::string& text : {unsaid.table, unsaid.log}) {
    EXPECT_NE(text.find("keys q8_0 and values f16 are not rotated"), std::string::npos) << text;
    EXPECT_NE(text.find("this backend does not rotate"), std::string::npos) << text;
  }
  EXPECT_NE(plan("no_rotation", kQuantised + ", rotate = true").refusal.find("does not rotate"),
            std::string::npos);
  for (const Planned& silent : {plan("no_rotation", kQuantised + ", rotate = false"),
                                plan("no_rotation", "keys = \"f16\""), plan("none", kQuantised)}) {
    EXPECT_EQ(silent.refusal, "");
    EXPECT_EQ(silent.table.find("rotated"), std::string::npos);
    EXPECT_EQ(silent.log, "");
  }
  EXPECT_NE(plan("plan_error", kQuantised).refusal.find("scripted failure"), std::string::npos)
      << "another reason stays one";
}

TEST(Fault, AModelWithoutItsDeviceIsPlannedAndNotLoaded) {
  const FaultDeployment deployment("no_device", 1);
  Log log(LogLevel::kOff);
  OpenDeployment open(deployment.file(), log);
  open.price_models();
  const ResidentModel* const models[] = {&open.model("tiny")};
  const auto problems = open.device_problems(models);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems.front().backend->name, "fault");
  EXPECT_EQ(problems.front().reason, "scripted: the device is gone");
  EXPECT_TRUE(open.device_problems({}).empty()) << "a backend without a model is not asked";
  try {
    open.require_memory(models);
    ADD_FAILURE() << "it may be loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNAVAILABLE);
    EXPECT_EQ(error.what(),
              deployment.file().string() + ":5:1: [backends.fault]: scripted: the device is gone");
  }
}

TEST(Fault, AFailingLoadIsOneErrorThatNamesModelAndReason) {
  for (const char* fault : {"open_error", "plan_error", "build_error", "device_check_error"}) {
    const FaultDeployment deployment(fault, 1);
    ControlSignals signals;
    Log log(LogLevel::kOff);
    OpenDeployment open(deployment.file(), log);
    Server server(open, signals);
    try {
      (void)server.load();
      ADD_FAILURE() << fault << " was not noticed";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("scripted failure"), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace vernal::test
