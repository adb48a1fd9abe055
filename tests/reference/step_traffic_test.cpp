// What a decode step of a whole model moves is what its plan says: the kernels of cuda_sm86 on the
// emulated device, with every access to global memory counted.
//
// Weights, keys and values, and states are counted for each block of threads: there are more of them
// than caches hold, so a block fetches what another one has read before. All else is small enough to
// stay in the second cache while a launch runs, and is counted once for each launch.
//
// VERNAL_TEST_MODEL=FILE.gguf measures another model as well, at depth 1, and prints what it moves.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "backend.hpp"
#include "command/step_bytes.hpp"
#include "emulator/testing.hpp"
#include "reference/golden_model.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::test {
namespace {

using cuda_sm86::emulator::MovedBytes;
using cuda_sm86::emulator::Traffic;

constexpr vernal_backend_api kBackend = backend_table<cuda_sm86::CudaBackend>();

/// Part of the planned bytes by which a step may differ from them.
constexpr double kTolerance = 0.03;

struct Case {
  std::string model;
  std::string kv_format;
  /// Most bytes of activations, inputs and results in a step of one token. What a model of this size
  /// moves today, and a little more.
  std::uint64_t most_others;
};

std::uint64_t sum(const MovedBytes& moved) { return moved.read + moved.written; }

/// What a step has moved.
struct StepMoves {
  std::uint64_t weights = 0;
  MovedBytes kv;
  std::uint64_t states = 0;
  std::uint64_t others = 0;
  std::uint64_t planned_kinds() const { return weights + sum(kv) + states; }
};

class StepTraffic : public testing::Test {
 protected:
  void open(const std::filesystem::path& file, const std::string& kv_format) {
    cuda_sm86::emulator::reset();
    options_.linked = &kBackend;
    options_.keys = options_.values = kv_format;
    options_.rotate = kv_format == "q4_0";
    options_.max_sequences = 1;
    model_ = std::make_unique<ModelUnderTest>(file, options_);
    compiled_ = std::make_unique<cuda_sm86::CompiledModule>(
        std::shared_ptr<const Module>(std::shared_ptr<void>(), &model_->module()), plan_options(),
        "cuda:0");
    sequence_ = model_->sequence(options_.context_length);
  }

  /// Feeds the sequence up to `depth`, then counts a step of `num_tokens`.
  StepMoves moves_at(std::uint64_t depth, std::size_t num_tokens) {
    const std::uint64_t length = model_->pool().seq_length(sequence_, 0);
    model_->feed(sequence_, tokens_of(7, depth - length), 64);
    cuda_sm86::emulator::start_traffic();
    model_->step({{sequence_, tokens_of(9, num_tokens)}});
    cuda_sm86::emulator::stop_traffic();
    StepMoves out;
    const Traffic weights = traffic_of(compiled_->weights.device_bytes());
    const Traffic kv = traffic_of(compiled_->kv.bytes());
    const Traffic all = cuda_sm86::emulator::device_traffic();
    Traffic states;
    if (compiled_->states.is_hybrid()) states = traffic_of(compiled_->states.bytes());
    out.weights = sum(weights.by_blocks);
    out.kv = kv.by_blocks;
    out.states = sum(states.by_blocks);
    out.others = sum(all.by_launches) - sum(weights.by_launches) - sum(kv.by_launches) -
                 sum(states.by_launches);
    return out;
  }

  vernal_plan_info plan() const { return model_->plan().info(); }

 private:
  PlanOptions plan_options() const {
    PlanOptions plan;
    plan.context_length = options_.context_length;
    plan.max_tokens_per_step = plan.max_rows = options_.max_tokens_per_step;
    plan.max_sequences = options_.max_sequences;
    plan.kv_tokens = options_.context_length * options_.max_sequences;
    plan.max_checkpoints = options_.max_checkpoints;
    plan.kv_keys_format = options_.keys;
    plan.kv_values_format = options_.values;
    plan.kv_rotate = options_.rotate;
    return plan;
  }

  /// What the only allocation of so many bytes has moved.
  static Traffic traffic_of(std::int64_t bytes) {
    const auto size = static_cast<std::size_t>(bytes);
    const std::vector<const void*> places = cuda_sm86::emulator::allocations_of(size);
    EXPECT_EQ(places.size(), 1U) << bytes;
    return places.empty() ? Traffic() : cuda_sm86::emulator::traffic(places[0], size);
  }

  ModelOptions options_;
  std::unique_ptr<ModelUnderTest> model_;
  std::unique_ptr<cuda_sm86::CompiledModule> compiled_;
  vernal_sequence_id sequence_ = 0;
};

class StepTrafficOfModels : public StepTraffic, public testing::WithParamInterface<Case> {};

TEST_P(StepTrafficOfModels, IsWhatThePlanSays) {
  const Case& tested = GetParam();
  open(golden_folder(tested.model) / (tested.model + ".gguf"), tested.kv_format);
  const auto weights = static_cast<double>(plan().weight_bytes_per_step);
  const auto states = static_cast<double>(2 * plan().bytes_per_sequence);
  // The first token of a sequence finds no state to read, so one comes before.
  for (const std::uint64_t depth : {1, 63, 64, 300, 600}) {
    SCOPED_TRACE("depth " + std::to_string(depth));
    const StepMoves moves = moves_at(depth, 1);
    EXPECT_NEAR(static_cast<double>(moves.weights), weights, 0.01 * weights);
    EXPECT_NEAR(static_cast<double>(moves.states), states, kTolerance * states);
    // Pages are read as a whole: up to 63 positions more than the plan counts.
    const std::uint64_t page = plan().page_tokens;
    const std::uint64_t positions = (depth + page) / page * page;
    EXPECT_EQ(moves.kv.read, positions * plan().bytes_per_kv_token);
    const auto planned = static_cast<double>(step_bytes(plan(), positions));
    EXPECT_NEAR(static_cast<double>(moves.planned_kinds()), planned, kTolerance * planned);
    EXPECT_LE(moves.others, tested.most_others);
  }
}

TEST_P(StepTrafficOfModels, HasWeightsAndPagesOnceForEightTokens) {
  const Case& tested = GetParam();
  open(golden_folder(tested.model) / (tested.model + ".gguf"), tested.kv_format);
  const StepMoves moves = moves_at(70, 8);
  const auto weights = static_cast<double>(plan().weight_bytes_per_step);
  // The blocks that norm the eight rows each read the weights of the norm: next to nothing in a large
  // model, some hundredths here.
  EXPECT_NEAR(static_cast<double>(moves.weights), weights, 0.05 * weights);
  EXPECT_EQ(moves.kv.read, 2 * plan().page_tokens * plan().bytes_per_kv_token);
}

INSTANTIATE_TEST_SUITE_P(Models, StepTrafficOfModels,
                         testing::Values(Case{"tiny-llama-q4_k_m", "q4_0", 105'000},
                                         Case{"tiny-llama-q4_k_m", "f16", 105'000},
                                         Case{"tiny-qwen35-iq4_ks", "q4_0", 205'000}));

/// The file that the environment names, if it does.
std::vector<std::string> files_of_environment() {
  const char* const file = std::getenv("VERNAL_TEST_MODEL");
  return file == nullptr ? std::vector<std::string>() : std::vector<std::string>{file};
}

class StepTrafficOfFile : public StepTraffic, public testing::WithParamInterface<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StepTrafficOfFile);

TEST_P(StepTrafficOfFile, IsWhatThePlanSays) {
  open(GetParam(), "q4_0");
  const StepMoves moves = moves_at(1, 1);
  const auto planned = static_cast<double>(step_bytes(plan(), plan().page_tokens));
  std::printf(
      "weights %.3f MB, planned %.3f; keys and values %.3f + %.3f; states %.3f, planned %.3f; "
      "others %.3f; all %.4f of what is planned\n",
      static_cast<double>(moves.weights) / 1e6,
      static_cast<double>(plan().weight_bytes_per_step) / 1e6,
      static_cast<double>(moves.kv.read) / 1e6, static_cast<double>(moves.kv.written) / 1e6,
      static_cast<double>(moves.states) / 1e6,
      static_cast<double>(2 * plan().bytes_per_sequence) / 1e6,
      static_cast<double>(moves.others) / 1e6,
      static_cast<double>(moves.planned_kinds() + moves.others) / planned);
  EXPECT_NEAR(static_cast<double>(moves.planned_kinds() + moves.others), planned,
              kTolerance * planned);
}

INSTANTIATE_TEST_SUITE_P(Environment, StepTrafficOfFile, testing::ValuesIn(files_of_environment()));

}  // namespace
}  // namespace vernal::test
