// What the step model hands to backends and what it reads of them, over a backend that writes down
// every step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "engine/steps/segmented_step_model.hpp"
#include "support/empty_config.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal {
namespace {

using ::testing::ElementsAre;
using testing::empty_config;
using ::testing::HasSubstr;

constexpr std::uint64_t kVocabulary = 3;
constexpr std::uint64_t kWidth = 2;

/// A step as a pool received it.
struct SeenStep {
  std::uint64_t function = 0;
  std::uint64_t num_tokens = 0;
  std::vector<std::int32_t> rows;
  std::vector<StepSequence> sequences;
  std::map<std::string, std::vector<std::int32_t>> integers;
  std::vector<float> hidden;
  const void* hidden_address = nullptr;
  std::vector<std::string> outputs;
};
std::vector<SeenStep> seen;  // by all pools, in their order

/// Row r of its logits is r, r, r. Row t of its hidden state is t + 0.5 twice.
class WritingPool : public BackendPool {
 public:
  vernal_pool_info info() const override {
    return {sizeof(vernal_pool_info), 16, 1, 2, 3, 400, 300, 0, VERNAL_POOL_TRUNCATE_ANY, 0};
  }
  vernal_sequence_id seq_create() override { return ++last_id_; }
  void seq_release(vernal_sequence_id) override {}
  void seq_reserve(vernal_sequence_id, std::uint64_t) override {}
  std::uint64_t seq_length(vernal_sequence_id, std::uint64_t) override { return 0; }
  std::uint64_t seq_restorable(vernal_sequence_id, std::uint64_t length) override { return length; }
  void seq_truncate(vernal_sequence_id, std::uint64_t) override {}
  vernal_sequence_id seq_fork(vernal_sequence_id, vernal_checkpoint_id, std::uint64_t) override {
    return ++last_id_;
  }
  void seq_restore(vernal_sequence_id, vernal_checkpoint_id) override {}
  vernal_checkpoint_id checkpoint_create(vernal_sequence_id) override { return 1; }
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id) override { return {}; }
  void checkpoint_release(vernal_checkpoint_id) override {}

  vernal_ticket step_submit(const StepBatch& batch) override {
    SeenStep step;
    step.function = batch.function;
    step.num_tokens = batch.num_tokens;
    step.rows.assign(batch.rows.begin(), batch.rows.end());
    step.sequences = batch.sequences;
    for (const vernal_step_input& input : batch.inputs) {
      if (view(input.name) == "hidden") {
        const auto* values = static_cast<const float*>(input.data);
        step.hidden.assign(values, values + input.bytes / sizeof(float));
        step.hidden_address = input.data;
        continue;
      }
      const auto* values = static_cast<const std::int32_t*>(input.data);
      step.integers[std::string(view(input.name))] = {values, values + input.bytes / 4};
    }
    step.outputs.assign(batch.outputs.begin(), batch.outputs.end());
    logits_.clear();
    for (std::size_t row = 0; row < batch.num_tokens; ++row) {
      logits_.insert(logits_.end(), kVocabulary, static_cast<float>(row));
    }
    hidden_.clear();
    for (std::size_t token = 0; token < batch.num_tokens; ++token) {
      hidden_.insert(hidden_.end(), kWidth, static_cast<float>(token) + 0.5F);
    }
    num_rows_ = batch.rows.size();
    seen.push_back(std::move(step));
    return 7;
  }
  bool step_wait(vernal_ticket, std::uint64_t) override { return true; }
  bool step_poll(vernal_ticket) override { return true; }
  StepOutput step_output(vernal_ticket, std::string_view name) override {
    if (name == "logits") {
      const std::size_t num_rows = gives_all_rows ? logits_.size() / kVocabulary : num_rows_;
      return {logits_.data(), num_rows, kVocabulary};
    }
    return {hidden_.data(), hidden_.size() / kWidth, kWidth};
  }
  void step_release(vernal_ticket) override {}

  static inline bool gives_all_rows = false;

 private:
  vernal_sequence_id last_id_ = 100;
  std::size_t num_rows_ = 0;
  std::vector<float> logits_;
  std::vector<float> hidden_;
};

class WritingProgram : public BackendProgram {
 public:
  std::unique_ptr<BackendPool> create_pool() override { return std::make_unique<WritingPool>(); }
  std::vector<MemoryRow> memory_report() const override { return {}; }
  vernal_step_stats stats() const override { return {}; }
};

class WritingPlan : public BackendPlan {
 public:
  vernal_plan_info info() const override { return {}; }
  std::vector<MemoryRow> rows() const override { return {}; }
  std::unique_ptr<BackendProgram> build(const WeightSource&, const Progress&) override {
    return std::make_unique<WritingProgram>();
  }
};

class WritingBackend : public Backend {
 public:
  explicit WritingBackend(const Config&) {}
  static std::vector<DeviceInfo> devices() { return {}; }
  std::optional<std::string> unsupported_reason(const Module&, const Function&,
                                                const Node&) const override {
    return std::nullopt;
  }
  std::vector<FormatSupport> formats() const override { return {}; }
  std::unique_ptr<BackendPlan> plan(std::shared_ptr<const Module>, const PlanOptions&) override {
    return std::make_unique<WritingPlan>();
  }
};

constexpr vernal_backend_api kTable = backend_table<WritingBackend>();

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

class NoWeights : public plugin::WeightStore {
 public:
  void read(std::uint64_t, std::uint64_t, std::span<std::byte>) override {}
  std::span<const std::byte> map(std::uint64_t) override { return {}; }
  void unmap(std::uint64_t) override {}
};

/// A program whose pool a segment takes.
struct Part {
  plugin::BackendInstance backend{kTable, "test", empty_config()};
  NoWeights weights;
  plugin::BackendPlan plan = backend.plan(empty_module(), PlanOptions{});
  plugin::BackendProgram program = plan.build(weights, {});

  SegmentedStepModel::Segment segment(std::vector<StepFunction> functions) {
    return {[this] { return program.create_pool(); }, std::move(functions)};
  }
};

StepFunction whole_main(std::uint32_t position_axes = 1) {
  StepFunction function;
  function.name = "main";
  function.index = 1;  // a module may list its functions in any order
  function.takes_ids = true;
  function.takes_rows = true;
  function.position_axes = position_axes;
  function.hidden_output_columns = kWidth;
  function.logits_columns = kVocabulary;
  return function;
}

StepFunction prediction() {
  StepFunction function = whole_main();
  function.name = "mtp";
  function.index = 0;
  function.hidden_input_columns = kWidth;
  return function;
}

StepFunction first_half() {
  StepFunction function = whole_main();
  function.takes_rows = false;
  function.logits_columns = 0;
  return function;
}

StepFunction second_half() {
  StepFunction function = whole_main();
  function.takes_ids = false;
  function.hidden_input_columns = kWidth;
  function.hidden_output_columns = 0;
  return function;
}

class StepModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    seen.clear();
    WritingPool::gives_all_rows = false;
  }

  static void run(StepModel& model, const std::vector<StepChunk>& chunks) {
    model.begin_step(chunks);
    ASSERT_TRUE(model.wait_step(std::chrono::seconds(10)));
  }

  /// What the model says against a step that it must refuse before any backend sees it.
  static std::string refusal(StepModel& model, const std::vector<StepChunk>& chunks) {
    try {
      model.begin_step(chunks);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT);
      EXPECT_TRUE(seen.empty());
      return error.what();
    }
    return "it was taken";
  }

  Part one_;
  Part two_;
  const std::vector<TokenId> ids_{11, 12, 13, 14};
  const std::vector<float> rows_{1, 2, 3, 4, 5, 6, 7, 8};  // of hidden state
};

TEST_F(StepModelTest, HandsChunksOverTokenByToken) {
  SegmentedStepModel model({one_.segment({prediction(), whole_main()})});
  model.open();
  const SequenceId a = model.create_sequence().value();
  const SequenceId b = model.create_sequence().value();
  run(model, {{a, 5, std::span(ids_).first(3), 1}, {b, 0, std::span(ids_).last(1), 1}});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].function, 1U);
  EXPECT_THAT(seen[0].integers["ids"], ElementsAre(11, 12, 13, 14));
  EXPECT_THAT(seen[0].integers["positions"], ElementsAre(5, 6, 7, 0));
  EXPECT_THAT(seen[0].integers["rows"], ElementsAre(2, 3));
  EXPECT_THAT(seen[0].rows, ElementsAre(2, 3));
  EXPECT_EQ(seen[0].integers.count("hidden"), 0U);
  EXPECT_THAT(seen[0].outputs, ElementsAre("logits"));
  ASSERT_EQ(seen[0].sequences.size(), 2U);
  EXPECT_EQ(seen[0].sequences[1].start, 3U);
  EXPECT_NE(seen[0].sequences[0].sequence, seen[0].sequences[1].sequence);
  EXPECT_THAT(model.logits(1), ElementsAre(1, 1, 1));
  EXPECT_THROW(model.logits(2), Error);
  EXPECT_THROW(model.hidden(0), Error) << "no chunk wanted it";
}

TEST_F(StepModelTest, GivesAsManyRowsOfLogitsAsAChunkWants) {
  SegmentedStepModel model({one_.segment({whole_main()})});
  model.open();
  const SequenceId a = model.create_sequence().value();
  const SequenceId b = model.create_sequence().value();
  run(model, {{a, 0, std::span(ids_).first(3), 3}, {b, 0, ids_, 2}});
  EXPECT_THAT(seen[0].rows, ElementsAre(0, 1, 2, 5, 6));
  EXPECT_THAT(model.logits(4), ElementsAre(4, 4, 4));
  EXPECT_THROW(model.logits(5), Error);
  model.end_step();
  run(model, {{a, 3, ids_, 0}});
  EXPECT_THAT(seen[1].rows, ElementsAre(3)) << "a step has at least one row";
}

TEST_F(StepModelTest, FindsTheRowsOfAModelThatGivesLogitsOfEveryToken) {
  WritingPool::gives_all_rows = true;
  StepFunction function = whole_main();
  function.logits_have_all_rows = true;
  SegmentedStepModel model({one_.segment({function})});
  model.open();
  run(model, {{model.create_sequence().value(), 0, ids_, 2}});
  EXPECT_THAT(model.logits(0), ElementsAre(2, 2, 2));
  EXPECT_THAT(model.logits(1), ElementsAre(3, 3, 3));
  EXPECT_THROW(model.logits(2), Error);
}

TEST_F(StepModelTest, RunsASecondFunctionOverRowsOfHiddenState) {
  SegmentedStepModel model({one_.segment({prediction(), whole_main()})});
  model.open();
  const FunctionId mtp = model.find_function("mtp").value();
  EXPECT_EQ(model.find_function("main"), kMainFunction);
  EXPECT_EQ(model.find_function("draft"), std::nullopt);
  const SequenceId a = model.create_sequence().value();
  const SequenceId b = model.create_sequence().value();

  StepChunk main{a, 0, ids_, 1};
  main.wants_hidden = true;
  run(model, {main});
  EXPECT_THAT(seen[0].outputs, ElementsAre("logits", "hidden"));
  EXPECT_THAT(model.logits(0), ElementsAre(0, 0, 0));
  EXPECT_THAT(model.hidden(3), ElementsAre(3.5F, 3.5F));
  EXPECT_THROW(model.hidden(4), Error);
  model.end_step();

  StepChunk first{a, 0, std::span(ids_).first(3), 1, mtp, std::span(rows_).first(6)};
  const StepChunk second{b, 0, std::span(ids_).first(1), 0, mtp, std::span(rows_).last(2)};
  run(model, {first, second});
  EXPECT_EQ(seen[1].function, 0U);
  EXPECT_THAT(seen[1].integers["ids"], ElementsAre(11, 12, 13, 11));
  EXPECT_THAT(seen[1].hidden, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(seen[1].rows, ElementsAre(2));
  model.end_step();

  first.wants_hidden = true;
  run(model, {first});
  EXPECT_EQ(seen[2].hidden_address, rows_.data()) << "rows of one chunk are not copied";
  EXPECT_THAT(model.hidden(2), ElementsAre(2.5F, 2.5F));
}

TEST_F(StepModelTest, PutsATokenOnEveryPositionAxis) {
  SegmentedStepModel model({one_.segment({whole_main(3)})});
  model.open();
  const SequenceId a = model.create_sequence().value();
  const SequenceId b = model.create_sequence().value();
  StepChunk image{b, 4, std::span(ids_).first(2), 1};
  const std::vector<std::int32_t> axes{4, 0, 1, 4, 0, 2};
  image.positions = axes;
  run(model, {{a, 7, std::span(ids_).first(2), 1}, image});
  EXPECT_THAT(seen[0].integers["positions"], ElementsAre(7, 7, 7, 8, 8, 8, 4, 0, 1, 4, 0, 2));
}

TEST_F(StepModelTest, GoesThroughSegmentsWithoutCopyingHiddenStates) {
  SegmentedStepModel model(
      {one_.segment({first_half()}), two_.segment({second_half(), prediction()})});
  model.open();
  const SequenceId a = model.create_sequence().value();
  run(model, {{a, 0, ids_, 1}});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0].outputs, ElementsAre("hidden"));
  EXPECT_EQ(seen[0].integers.count("rows"), 0U);
  EXPECT_EQ(seen[1].integers.count("ids"), 0U);
  EXPECT_THAT(seen[1].hidden, ElementsAre(0.5F, 0.5F, 1.5F, 1.5F, 2.5F, 2.5F, 3.5F, 3.5F));
  EXPECT_THAT(seen[1].outputs, ElementsAre("logits"));
  EXPECT_THAT(model.logits(0), ElementsAre(0, 0, 0));
  model.end_step();
  const FunctionId mtp = model.find_function("mtp").value();
  run(model, {{a, 0, ids_, 1, mtp, rows_}});
  ASSERT_EQ(seen.size(), 3U) << "only the last segment has it";
  EXPECT_THAT(seen[2].hidden, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_F(StepModelTest, RefusesChunksThatTheFunctionCannotTake) {
  SegmentedStepModel model({one_.segment({whole_main(3), prediction()})});
  model.open();
  const SequenceId a = model.create_sequence().value();
  const FunctionId mtp = model.find_function("mtp").value();
  StepChunk chunk{a, 0, ids_, 1};
  EXPECT_THAT(refusal(model, {}), HasSubstr("without chunks"));
  EXPECT_THAT(refusal(model, {{a, 0, {}, 0}}), HasSubstr("at least one token"));
  EXPECT_THAT(refusal(model, {{a, 0, ids_, 5}}), HasSubstr("5 rows of logits are wanted of 4"));
  EXPECT_THAT(refusal(model, {chunk, {a, 0, ids_, 1, mtp, rows_}}), HasSubstr("names function 1"));
  EXPECT_THAT(refusal(model, {{a, 0, ids_, 1, 9}}), HasSubstr("function 9"));
  EXPECT_THAT(refusal(model, {{a, 0, ids_, 1, mtp, std::span(rows_).first(6)}}),
              HasSubstr("expected 8 numbers of hidden state for 4 tokens, found 6"));
  chunk.positions = ids_;
  EXPECT_THAT(refusal(model, {chunk}),
              HasSubstr("expected 12 positions for 4 tokens on 3 axes, found 4"));
}

TEST_F(StepModelTest, RefusesSegmentsThatDoNotFitTogether) {
  const auto refusal_of = [&](std::vector<StepFunction> first, std::vector<StepFunction> second) {
    try {
      const SegmentedStepModel model(
          {one_.segment(std::move(first)), two_.segment(std::move(second))});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("they were taken");
  };
  EXPECT_THAT(refusal_of({first_half()}, {prediction()}), HasSubstr("no function \"main\""));
  EXPECT_THAT(refusal_of({first_half()}, {whole_main()}), HasSubstr("and token ids"));
  StepFunction wide = second_half();
  wide.hidden_input_columns = 9;
  EXPECT_THAT(refusal_of({first_half()}, {wide}), HasSubstr("gives 2 columns of hidden state"));
  StepFunction other_axes = second_half();
  other_axes.position_axes = 4;
  EXPECT_THAT(refusal_of({first_half()}, {other_axes}), HasSubstr("on 1 axes, the next on 4"));
}

}  // namespace
}  // namespace vernal
