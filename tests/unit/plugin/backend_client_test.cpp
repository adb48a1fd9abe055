// The core's side of a backend, with a backend whose answers the tests choose.
#include "plugin/backend_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "support/empty_config.hpp"
#include "vernal/backend_plugin.hpp"
#include "vernal/sink.hpp"

namespace vernal::plugin {
namespace {

using ::testing::ElementsAre;
using testing::empty_config;
using ::testing::HasSubstr;

// What the backend does. Each test resets it.
struct Script {
  std::int32_t answer = VERNAL_OK;  // of the call under test
  std::uint64_t restorable = 0;
  StepOutput output{};
  bool step_is_finished = true;
  int alive = 0;  // objects made and not destroyed
  std::vector<std::string> calls;
  std::vector<std::byte> loaded;
  vernal_ticket released = 0;
  PlanOptions options;
  std::vector<float> hidden_seen;
};
Script script;

void answer() {
  if (script.answer != VERNAL_OK) throw Error(script.answer, "as scripted");
}

struct Counted {
  Counted() { ++script.alive; }
  ~Counted() { --script.alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

class ScriptedPool : public vernal::BackendPool {
 public:
  vernal_pool_info info() const override {
    return {sizeof(vernal_pool_info), 16, 1, 2, 3, 400, 300, 0, VERNAL_POOL_STEP_ATOMIC, 0};
  }
  vernal_sequence_id seq_create() override { return answer(), 5; }
  void seq_release(vernal_sequence_id) override { answer(); }
  void seq_reserve(vernal_sequence_id, std::uint64_t) override { answer(); }
  std::uint64_t seq_length(vernal_sequence_id, std::uint64_t function) override {
    return answer(), 10 + function;
  }
  std::uint64_t seq_restorable(vernal_sequence_id, std::uint64_t) override {
    return script.restorable;
  }
  void seq_truncate(vernal_sequence_id, std::uint64_t) override { answer(); }
  vernal_sequence_id seq_fork(vernal_sequence_id, vernal_checkpoint_id, std::uint64_t) override {
    return answer(), 6;
  }
  void seq_restore(vernal_sequence_id, vernal_checkpoint_id) override { answer(); }
  vernal_checkpoint_id checkpoint_create(vernal_sequence_id) override { return answer(), 7; }
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id) override {
    return {sizeof(vernal_checkpoint_info), 64, 1000, 2000};
  }
  void checkpoint_release(vernal_checkpoint_id) override { answer(); }

  vernal_ticket step_submit(const StepBatch& batch) override {
    answer();
    const auto ids = batch.input<std::int32_t>("ids", batch.num_tokens);
    script.calls.push_back("step of " + std::to_string(ids.size()) + ", first id " +
                           std::to_string(ids[0]));
    return 77;
  }
  bool step_wait(vernal_ticket, std::uint64_t) override {
    return answer(), script.step_is_finished;
  }
  bool step_poll(vernal_ticket) override { return script.step_is_finished; }
  StepOutput step_output(vernal_ticket, std::string_view) override { return script.output; }
  void step_release(vernal_ticket ticket) override { script.released = ticket; }

 private:
  Counted counted_;
};

class ScriptedProgram : public vernal::BackendProgram {
 public:
  std::unique_ptr<vernal::BackendPool> create_pool() override {
    return std::make_unique<ScriptedPool>();
  }
  std::vector<MemoryRow> memory_report() const override {
    return {{"weights", "cpu", VERNAL_MEMORY_WEIGHTS, 4096, 4096}};
  }
  vernal_step_stats stats() const override { return {sizeof(vernal_step_stats), 1, 2, 3}; }

 private:
  Counted counted_;
};

class ScriptedPlan : public vernal::BackendPlan {
 public:
  vernal_plan_info info() const override {
    return {sizeof(vernal_plan_info), 16, 100, 200, 300, 400, 1, 0};
  }
  std::vector<MemoryRow> rows() const override {
    return {{"kv", "cpu", VERNAL_MEMORY_KV, 10, 20},
            {"activations", "cpu", VERNAL_MEMORY_WORKSPACE, 1, 1}};
  }
  std::unique_ptr<vernal::BackendProgram> build(const WeightSource& source,
                                                const Progress& progress) override {
    script.loaded.resize(3);
    source.read(1, 2, 3, script.loaded.data());
    progress.report(3, 6);
    const std::span<const std::byte> all = source.map(0);
    script.loaded.insert(script.loaded.end(), all.begin(), all.end());
    source.release(0, 1, 1);
    source.unmap(0);
    return std::make_unique<ScriptedProgram>();
  }

 private:
  Counted counted_;
};

class ScriptedBackend : public vernal::Backend {
 public:
  explicit ScriptedBackend(const Config&) { answer(); }
  static std::vector<DeviceInfo> devices() { return {{"cpu", "a processor", 100, 50, 2}}; }
  std::optional<std::string> unsupported_reason(const vernal::Module&, const Function&,
                                                const Node&) const override {
    return std::nullopt;
  }
  std::vector<FormatSupport> formats() const override {
    return {{"f16", VERNAL_FORMAT_NATIVE, ""}, {"i8", VERNAL_FORMAT_REFUSED, "no kernel"}};
  }
  std::unique_ptr<vernal::BackendPlan> plan(std::shared_ptr<const vernal::Module>,
                                            const PlanOptions& options) override {
    answer();
    script.options = options;
    return std::make_unique<ScriptedPlan>();
  }

 private:
  Counted counted_;
};

constexpr vernal_backend_api kTable = backend_table<ScriptedBackend>();

// A module without functions, weights and states.
vernal_module_ref empty_module() {
  static constexpr vernal_module_api kApi = {.struct_size = sizeof(vernal_module_api),
                                             .info =
                                                 [](const vernal_module*, vernal_module_info* out) {
                                                   copy_out(vernal_module_info{}, out);
                                                   return VERNAL_OK;
                                                 },
                                             .function = {},
                                             .node = {},
                                             .value = {},
                                             .weight = {},
                                             .state = {},
                                             .dump = {}};
  return {&kApi, nullptr};
}

class TwoWeights : public WeightStore {
 public:
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) override {
    if (fails) throw Error(VERNAL_UNAVAILABLE, "the disk is gone");
    ASSERT_EQ(index, 1u);
    std::memcpy(destination.data(), bytes.data() + offset, destination.size());
  }
  std::span<const std::byte> map(std::uint64_t) override { return std::span(bytes).first(2); }
  void unmap(std::uint64_t index) override { unmapped = index; }
  void release(std::uint64_t index, std::uint64_t offset, std::uint64_t size) override {
    released = {index, offset, size};
  }

  bool fails = false;
  std::uint64_t unmapped = 99;
  std::array<std::uint64_t, 3> released = {};
  std::array<std::byte, 6> bytes = {std::byte{0}, std::byte{1}, std::byte{2},
                                    std::byte{3}, std::byte{4}, std::byte{5}};
};

template <class Body>
Error thrown(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(VERNAL_OK, "nothing was thrown");
}

class BackendClientTest : public ::testing::Test {
 protected:
  BackendClientTest() { script = {}; }

  Step step_of(std::uint64_t num_tokens) {
    sequences_ = {{5, 0, num_tokens, 0}};
    inputs_ = {StepInput::host<std::int32_t>("ids", ids_)};
    return {.num_tokens = num_tokens,
            .sequences = sequences_,
            .rows = rows_,
            .inputs = inputs_,
            .outputs = outputs_};
  }

  std::array<std::int32_t, 4> ids_ = {11, 12, 13, 14};
  std::vector<std::int32_t> rows_ = {3};
  std::vector<StepSequence> sequences_;
  std::vector<StepInput> inputs_;
  std::array<std::string_view, 1> outputs_ = {"logits"};
  TwoWeights weights_;
};

TEST_F(BackendClientTest, LeadsFromInstanceToStepAndDestroysEverything) {
  {
    const BackendInstance backend(kTable, "cpu", empty_config());
    PlanOptions options;
    options.context_length = 4096;
    options.kv_keys_format = "q8_0";
    options.host_weights = {"token_embd.weight"};
    options.kv_rotate = true;
    vernal::plugin::BackendPlan plan = backend.plan(empty_module(), options);
    EXPECT_EQ(script.options.context_length, 4096u);
    EXPECT_EQ(script.options.kv_keys_format, "q8_0");
    EXPECT_THAT(script.options.host_weights, ElementsAre("token_embd.weight"));
    EXPECT_TRUE(script.options.kv_rotate);
    EXPECT_EQ(plan.info().bytes_per_kv_token, 100u);
    ASSERT_EQ(plan.rows().size(), 2u);
    EXPECT_EQ(plan.rows()[0].peak_bytes, 20u);

    std::vector<std::uint64_t> progress;
    BackendProgram built = [&] {
      return plan.build(weights_, [&](std::uint64_t done, std::uint64_t) {
        progress.push_back(done);
        return true;
      });
    }();
    EXPECT_THAT(progress, ElementsAre(3));
    EXPECT_THAT(script.loaded,
                ElementsAre(std::byte{2}, std::byte{3}, std::byte{4}, std::byte{0}, std::byte{1}));
    EXPECT_EQ(weights_.unmapped, 0u);
    EXPECT_THAT(weights_.released, ElementsAre(0, 1, 1));
    EXPECT_EQ(built.memory_report().at(0).bytes, 4096u);
    EXPECT_EQ(built.stats().tokens, 2u);
    EXPECT_FALSE(built.times_operations());  // it has no such extension
    EXPECT_EQ(thrown([&] { built.set_timing(true); }).code(), VERNAL_UNSUPPORTED);
    EXPECT_EQ(script.alive, 3);
  }
  EXPECT_EQ(script.alive, 0);
}

TEST_F(BackendClientTest, ListsDevicesAndFormats) {
  EXPECT_EQ(BackendInstance::devices(kTable).at(0).description, "a processor");
  const BackendInstance backend(kTable, "cpu", empty_config());
  EXPECT_EQ(backend.formats().at(1).note, "no kernel");
  EXPECT_EQ(backend.extension("vernal.ext.lora/1"), nullptr);
  EXPECT_EQ(backend.description(), "");
}

TEST_F(BackendClientTest, NamesInstanceAndCallInErrors) {
  script.answer = VERNAL_UNAVAILABLE;
  const Error at_open = thrown([] { BackendInstance(kTable, "gpu", empty_config()); });
  EXPECT_EQ(at_open.code(), VERNAL_UNAVAILABLE);
  EXPECT_STREQ(at_open.what(), "backend gpu: open: as scripted");
  script.answer = VERNAL_OK;
  const BackendInstance backend(kTable, "gpu", empty_config());
  script.answer = VERNAL_UNSUPPORTED;
  EXPECT_STREQ(thrown([&] { backend.plan(empty_module(), {}); }).what(),
               "backend gpu: plan: as scripted");
}

TEST_F(BackendClientTest, EndsABuildThatIsCancelledOrCannotRead) {
  const BackendInstance backend(kTable, "cpu", empty_config());
  vernal::plugin::BackendPlan plan = backend.plan(empty_module(), {});
  EXPECT_EQ(thrown([&] {
              plan.build(weights_, [](std::uint64_t, std::uint64_t) { return false; });
            }).code(),
            VERNAL_CANCELLED);
  weights_.fails = true;
  const Error error = thrown([&] { plan.build(weights_, nullptr); });
  EXPECT_EQ(error.code(), VERNAL_UNAVAILABLE);
  EXPECT_THAT(error.what(), HasSubstr("the disk is gone"));
}

// The tests below have a pool.
class BackendPoolTest : public BackendClientTest {
 protected:
  BackendInstance backend_{kTable, "cpu", empty_config()};
  vernal::plugin::BackendPlan plan_ = backend_.plan(empty_module(), {});
  vernal::plugin::BackendProgram program_ = plan_.build(weights_, nullptr);
  vernal::plugin::BackendPool pool_ = program_.create_pool();
};

TEST_F(BackendPoolTest, GivesExpectedRefusalsAsValues) {
  EXPECT_EQ(pool_.seq_create(), 5u);
  EXPECT_TRUE(pool_.seq_reserve(5, 10));
  EXPECT_TRUE(pool_.seq_truncate(5, 1));
  EXPECT_EQ(pool_.seq_fork(5, 0, 3), 6u);
  EXPECT_EQ(pool_.checkpoint_create(5), 7u);
  EXPECT_EQ(pool_.seq_length(5, 1), 11u);
  script.answer = VERNAL_RESOURCE_EXHAUSTED;
  EXPECT_EQ(pool_.seq_create(), std::nullopt);
  EXPECT_FALSE(pool_.seq_reserve(5, 10));
  EXPECT_EQ(pool_.seq_fork(5, 0, 3), std::nullopt);
  EXPECT_EQ(pool_.checkpoint_create(5), std::nullopt);
  script.answer = VERNAL_NOT_RESTORABLE;
  EXPECT_FALSE(pool_.seq_truncate(5, 1));
  EXPECT_EQ(pool_.seq_fork(5, 0, 3), std::nullopt);
}

TEST_F(BackendPoolTest, ThrowsEveryOtherRefusal) {
  script.answer = VERNAL_NOT_FOUND;
  EXPECT_EQ(thrown([&] { (void)pool_.seq_reserve(5, 1); }).code(), VERNAL_NOT_FOUND);
  EXPECT_STREQ(thrown([&] { pool_.seq_release(5); }).what(),
               "backend cpu: seq_release: as scripted");
  EXPECT_EQ(thrown([&] { pool_.seq_restore(5, 7); }).code(), VERNAL_NOT_FOUND);
}

TEST_F(BackendPoolTest, RefusesAnImpossibleRestorablePosition) {
  script.restorable = 9;
  EXPECT_EQ(pool_.seq_restorable(5, 10), 9u);
  EXPECT_EQ(thrown([&] { pool_.seq_restorable(5, 8); }).code(), VERNAL_INTERNAL);
}

TEST_F(BackendPoolTest, RunsAStepAndReleasesIt) {
  const std::array<float, 3> logits = {1, 2, 3};
  script.output = {logits.data(), 1, 3};
  {
    BackendStep step = pool_.submit(step_of(4));
    script.step_is_finished = false;
    EXPECT_FALSE(step.is_finished());
    EXPECT_FALSE(step.wait(10));
    script.step_is_finished = true;
    EXPECT_TRUE(step.wait(0));
    EXPECT_EQ(step.output("logits", 1, 3).data[2], 3);
    EXPECT_EQ(script.released, 0u);
  }
  EXPECT_THAT(script.calls, ElementsAre("step of 4, first id 11"));
  EXPECT_EQ(script.released, 77u);
}

TEST_F(BackendPoolTest, RefusesOutputsOfAnotherShape) {
  const std::array<float, 3> logits = {};
  BackendStep step = pool_.submit(step_of(4));
  for (const StepOutput wrong :
       {StepOutput{nullptr, 1, 3}, StepOutput{logits.data(), 0, 3}, StepOutput{logits.data(), 2, 3},
        StepOutput{logits.data(), 1, 2}, StepOutput{logits.data(), 1, 0}}) {
    script.output = wrong;
    const Error error = thrown([&] { step.output("logits", 1, 3); });
    EXPECT_EQ(error.code(), VERNAL_INTERNAL);
    EXPECT_THAT(error.what(), HasSubstr("output \"logits\" expected [1, 3], found"));
  }
  script.output = {logits.data(), 1, UINT64_MAX};
  EXPECT_EQ(thrown([&] { step.output("logits", 1, 0); }).code(), VERNAL_INTERNAL);
  script.output = {logits.data(), 1, 3};
  EXPECT_EQ(step.output("logits", 1, 0).columns, 3u);
}

TEST_F(BackendPoolTest, RefusesMalformedBatches) {
  const auto refusal = [&](const Step& step) { return thrown([&] { pool_.submit(step); }); };
  Step step = step_of(4);
  step.num_tokens = 5;
  EXPECT_THAT(refusal(step).what(), HasSubstr("sequences cover 4 of 5 tokens"));
  EXPECT_EQ(refusal(Step{}).code(), VERNAL_INVALID_ARGUMENT);
  step = step_of(4);
  const std::vector<StepSequence> gap = {{5, 0, 1, 0}, {6, 2, 2, 0}};
  step.sequences = gap;
  EXPECT_THAT(refusal(step).what(), HasSubstr("sequence 6 expected to start at token 1"));
  step = step_of(4);
  for (const std::vector<std::int32_t>& rows :
       {std::vector<std::int32_t>{4}, {-1}, {1, 1}, {2, 1}}) {
    step.rows = rows;
    EXPECT_EQ(refusal(step).code(), VERNAL_INVALID_ARGUMENT);
  }
}

TEST_F(BackendPoolTest, ThrowsTheStepsOwnStatus) {
  BackendStep step = pool_.submit(step_of(4));
  script.answer = VERNAL_DEVICE_LOST;
  EXPECT_EQ(thrown([&] { (void)step.wait(0); }).code(), VERNAL_DEVICE_LOST);
}

TEST_F(BackendPoolTest, TellsThatSnapshotsAreNotSupported) {
  std::string bytes;
  const vernal_sink sink = append_to(bytes);
  EXPECT_EQ(thrown([&] { pool_.snapshot_export(5, 0, sink); }).code(), VERNAL_UNSUPPORTED);
}

}  // namespace
}  // namespace vernal::plugin
