// The C plugins of interface 1.0: the module that bigram_c builds gives known numbers on scalar_c,
// both binaries in the loader of today.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "abi/example_plugins.hpp"
#include "module/module_view.hpp"
#include "plugin/backend_client.hpp"
#include "support/empty_config.hpp"
#include "support/fake_model.hpp"

namespace vernal {
namespace {

using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

/// Values of the weights of one module, by name.
class ValueStore final : public plugin::WeightStore {
 public:
  ValueStore(const Module& module, std::map<std::string, std::vector<float>> values)
      : module_(module), values_(std::move(values)) {}
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) override {
    std::memcpy(destination.data(), map(index).subspan(offset, destination.size()).data(),
                destination.size());
  }
  std::span<const std::byte> map(std::uint64_t index) override {
    return std::as_bytes(std::span(values_.at(module_.weights.at(index).name)));
  }
  void unmap(std::uint64_t) override {}

 private:
  const Module& module_;
  std::map<std::string, std::vector<float>> values_;
};

PlanOptions small_plan() {
  PlanOptions options;
  options.context_length = 8;
  options.max_tokens_per_step = 4;
  options.max_sequences = 2;
  options.max_rows = 4;
  options.kv_tokens = 12;
  options.max_checkpoints = 1;
  return options;
}

/// Four words, two numbers each.
class FrozenC : public Examples {
 protected:
  FrozenC() {
    metadata_.set("general.architecture", std::string("bigram"));
    metadata_.set("bigram.vocab_size", std::int64_t{4});
    metadata_.set("bigram.embedding_length", std::int64_t{2});
    metadata_.set("bigram.attention.layer_norm_rms_epsilon", 0.0);
    weights_.set("token_embd.weight", {4, 2}, "f32");
    weights_.set("output_norm.weight", {2}, "f32");
    weights_.set("output.weight", {4, 2}, "f32");
  }

  BuiltModule build() {
    return build_module(architecture("bigram"), {metadata_, weights_},
                        {.context_length = 8, .functions = {}});
  }

  plugin::BackendInstance backend() {
    plugin::PluginLibrary& library = plugins_.open("scalar_c", VERNAL_KIND_BACKEND);
    plugins_.init_all();
    return {library.backend(), "c", testing::empty_config()};
  }

  test::FakeMetadata metadata_;
  test::FakeWeights weights_;
};

/// A pool of the bigram model on the C backend.
class FrozenCPool : public FrozenC {
 protected:
  FrozenCPool()
      : built_(build()),
        view_(built_.module),
        store_(*built_.module, {{"token_embd.weight", {3, 4, 1, 0, 0, 2, -3, 4}},
                                {"output_norm.weight", {1, 2}},
                                {"output.weight", {1, 0, 0, 1, 1, 1, -1, 1}}}),
        backend_(backend()),
        plan_(backend_.plan(view_.ref(), small_plan())),
        program_(plan_.build(store_, {})),
        pool_(program_.create_pool()) {}

  vernal_sequence_id start(std::uint64_t num_tokens) {
    const vernal_sequence_id sequence = pool_.seq_create().value();
    EXPECT_TRUE(pool_.seq_reserve(sequence, num_tokens));
    return sequence;
  }

  /// The logits of `rows` of a step.
  std::vector<float> step(const std::vector<StepSequence>& parts,
                          const std::vector<std::int32_t>& ids,
                          const std::vector<std::int32_t>& rows) {
    const std::array inputs{plugin::StepInput::host<std::int32_t>("ids", ids),
                            plugin::StepInput::host<std::int32_t>("rows", rows)};
    constexpr std::array<std::string_view, 1> kOutputs{"logits"};
    plugin::BackendStep made = pool_.submit({.num_tokens = ids.size(),
                                             .sequences = parts,
                                             .rows = rows,
                                             .inputs = inputs,
                                             .outputs = kOutputs});
    EXPECT_TRUE(made.wait(0));
    const StepOutput out = made.output("logits", rows.size(), 4);
    return {out.data, out.data + rows.size() * 4};
  }

  BuiltModule built_;
  ModuleView view_;
  ValueStore store_;
  plugin::BackendInstance backend_;
  plugin::BackendPlan plan_;
  plugin::BackendProgram program_;
  plugin::BackendPool pool_;
};

/// Logits of the four words by hand, in units of the square root of 2: (3, 4) has the norm
/// (0.6, 0.8), its second number is doubled, and the head takes x, y, x + y and y - x.
std::vector<float> logits_of(const std::vector<int>& words) {
  constexpr double kLogits[4][4] = {
      {0.6, 1.6, 2.2, 1.0}, {1, 0, 1, -1}, {0, 2, 2, 2}, {-0.6, 1.6, 1.0, 2.2}};
  std::vector<float> out;
  for (const int word : words) {
    for (const double logit : kLogits[word]) {
      out.push_back(static_cast<float>(std::sqrt(2.0) * logit));
    }
  }
  return out;
}

TEST_F(FrozenCPool, GivesTheNumbersThatWereWorkedOutByHand) {
  const vernal_sequence_id a = start(4);
  const vernal_sequence_id b = start(2);
  EXPECT_THAT(step({{a, 0, 3, 0}, {b, 3, 1, 0}}, {0, 1, 2, 3}, {0, 2, 3}),
              Pointwise(FloatNear(1e-6F), logits_of({0, 2, 3})));
  EXPECT_THAT(step({{a, 0, 1, 3}}, {1}, {0}), Pointwise(FloatNear(1e-6F), logits_of({1})));
  EXPECT_EQ(pool_.seq_length(a, 0), 4u);
  EXPECT_EQ(program_.stats().tokens, 5u);
}

TEST_F(FrozenCPool, KeepsItsPromisesAboutSequences) {
  const vernal_sequence_id a = start(4);
  step({{a, 0, 3, 0}}, {0, 1, 2}, {2});
  const vernal_checkpoint_id kept = pool_.checkpoint_create(a).value();
  EXPECT_EQ(pool_.checkpoint_create(a), std::nullopt);
  EXPECT_TRUE(pool_.seq_truncate(a, 1));
  const vernal_sequence_id fork = pool_.seq_fork(0, kept, 2).value();
  EXPECT_EQ(pool_.seq_length(fork, 0), 2u);
  EXPECT_EQ(pool_.seq_create(), std::nullopt);
  EXPECT_FALSE(pool_.seq_reserve(fork, 7));  // beyond the context
  pool_.seq_restore(a, kept);
  EXPECT_EQ(pool_.seq_length(a, 0), 3u);
  pool_.seq_release(a);
  pool_.seq_release(fork);
  pool_.checkpoint_release(kept);
  EXPECT_THROW(pool_.seq_length(a, 0), Error);
  EXPECT_EQ(pool_.info().free_tokens, small_plan().kv_tokens);
}

TEST_F(FrozenCPool, LeavesSequencesAsTheyWereWhenAStepFails) {
  const vernal_sequence_id a = start(4);
  try {
    step({{a, 0, 2, 0}}, {0, 4}, {1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("token id 4: expected 0 to 3"));
  }
  EXPECT_EQ(pool_.seq_length(a, 0), 0u);
  EXPECT_THAT(step({{a, 0, 1, 0}}, {3}, {0}), Pointwise(FloatNear(1e-6F), logits_of({3})));
}

TEST_F(FrozenC, PlanNamesEveryNodeThatIsNotTaken) {
  weights_.set("output.weight", {4, 2});
  weights_.set("token_embd.weight", {4, 2});
  const BuiltModule built = build();
  const ModuleView view(built.module);
  const plugin::BackendInstance instance = backend();
  try {
    instance.plan(view.ref(), small_plan());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
    EXPECT_THAT(error.what(), HasSubstr("vernal.embed/1 (embed): a weight has another format"));
    EXPECT_THAT(error.what(), HasSubstr("vernal.linear/1 (output): a weight has another format"));
  }
}

TEST_F(FrozenC, ArchitectureNamesTheKeyThatIsWrong) {
  metadata_.set("bigram.vocab_size", std::int64_t{0});
  try {
    build();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("bigram.vocab_size: expected 1 to 1000000, found 0"));
  }
}

}  // namespace
}  // namespace vernal
