// Recurrent states in one version, with a log of the tokens that can be taken back.
#include <gtest/gtest.h>

#include <array>

#include "plain_memory.hpp"
#include "shared/state/sequences.hpp"

namespace vernal::backend {
namespace {

constexpr std::int64_t kFloatBytes = 4;

/// Layers of one gated delta rule each.
struct DeltaLayers {
  std::int64_t layers;
  std::int64_t key_heads;
  std::int64_t value_heads;
  std::int64_t key_dim;
  std::int64_t value_dim;

  std::int64_t matrix_bytes() const { return value_heads * key_dim * value_dim * kFloatBytes; }
  std::int64_t value_bytes() const { return value_heads * value_dim * kFloatBytes; }
  std::int64_t key_bytes() const { return (key_heads * key_dim + 2 * value_heads) * kFloatBytes; }
};

Module module_of(const DeltaLayers& of) {
  Module module;
  Function& main = module.functions.emplace_back();
  main.name = "main";
  const auto value = [&](std::initializer_list<std::int64_t> dims) {
    Value out;
    out.shape.rank = static_cast<std::uint32_t>(dims.size());
    std::ranges::copy(dims, out.shape.dims.begin());
    main.values.push_back(out);
    return vernal_operand{VERNAL_OPERAND_VALUE, static_cast<std::uint32_t>(main.values.size() - 1)};
  };
  for (std::int64_t layer = 0; layer < of.layers; ++layer) {
    Node node;
    node.op = "vernal.gated_delta_rule/1";
    const vernal_operand keys = value({VERNAL_DIM_TOKENS, of.key_heads, of.key_dim});
    const vernal_operand gates = value({VERNAL_DIM_TOKENS, of.value_heads});
    node.operands = {keys,  keys,  value({VERNAL_DIM_TOKENS, of.value_heads, of.value_dim}),
                     gates, gates, {VERNAL_OPERAND_STATE, static_cast<std::uint32_t>(layer)}};
    main.nodes.push_back(node);
    State state;
    state.kind = VERNAL_STATE_RECURRENT;
    state.layer = layer;
    state.num_heads = of.value_heads;
    state.key_dim = of.key_dim;
    state.value_dim = of.value_dim;
    module.states.push_back(state);
  }
  return module;
}

PlanOptions options_of(std::uint64_t rollback_depth) {
  PlanOptions options;
  options.max_sequences = 2;
  options.max_checkpoints = 1;
  options.rollback_depth = rollback_depth;
  return options;
}

StatePlan plan_of(const DeltaLayers& layers, std::uint64_t rollback_depth) {
  return {module_of(layers), options_of(rollback_depth), RollbackForm::kReplay};
}

constexpr DeltaLayers kSmall{2, 1, 2, 4, 8};

TEST(ReplayLogPlan, HasNoLogIfNothingIsTakenBack) {
  const StatePlan plan = plan_of(kSmall, 0);
  EXPECT_FALSE(plan.has_log());
  EXPECT_EQ(plan.slot_bytes(), 2 * kSmall.matrix_bytes());
  EXPECT_EQ(plan.checkpoint_bytes(), plan.slot_bytes());
}

TEST(ReplayLogPlan, LaysTheLogBehindTheMatrix) {
  const StatePlan plan = plan_of(kSmall, 3);
  EXPECT_TRUE(plan.has_log());
  const StatePlan::Entry& entry = plan.entry(0);
  EXPECT_EQ(entry.num_parts, 1);
  EXPECT_EQ(entry.log.depth, 3);
  EXPECT_EQ(entry.log.value_bytes, kSmall.value_bytes());
  EXPECT_EQ(entry.log.key_bytes, kSmall.key_bytes());
  EXPECT_EQ(entry.log.values_offset, kSmall.matrix_bytes());
  EXPECT_EQ(entry.log.keys_offset, kSmall.matrix_bytes() + 3 * kSmall.value_bytes());
  EXPECT_EQ(entry.bytes(),
            kSmall.matrix_bytes() + 3 * (kSmall.value_bytes() + 2 * kSmall.key_bytes()));
  EXPECT_EQ(entry.kept_bytes(), entry.bytes());
}

/// The 27B of Qwen3.6 has 48 of these layers. Eight more versions would take 1152 MiB.
TEST(ReplayLogPlan, CostsLittleForTheModelThatTheCardIsFor) {
  constexpr DeltaLayers k27B{48, 16, 48, 128, 128};
  const std::int64_t more = plan_of(k27B, 8).slot_bytes() - plan_of(k27B, 0).slot_bytes();
  EXPECT_LE(more, 16 << 20);
  EXPECT_GE(more, 12 << 20) << "values and keys of eight tokens";
}

class ReplayLogSequences : public testing::Test {
 protected:
  vernal_sequence_id made(std::uint64_t count) {
    const vernal_sequence_id id = sequences_.create();
    step(id, count);
    return id;
  }
  void step(vernal_sequence_id id, std::uint64_t count) {
    sequences_.reserve(id, count);
    sequences_.commit(id, 0, count);
  }
  std::uint64_t pending(vernal_sequence_id id) const {
    return sequences_.sequence(id).replays[0].pending;
  }
  std::uint32_t side(vernal_sequence_id id) const {
    return sequences_.sequence(id).replays[0].side;
  }

  PlainMemory memory_;
  const StatePlan plan_ = plan_of(kSmall, 3);
  StateStore states_{memory_, plan_};
  std::vector<KvPages> pages_ = [this] {
    std::vector<KvPages> out;
    out.emplace_back(memory_, 8, 256);
    return out;
  }();
  const std::vector<KvGroup> groups_ = std::vector<KvGroup>(1);
  Sequences sequences_{pages_, groups_, states_, {500, 2, 1}};
};

TEST_F(ReplayLogSequences, FillTheLogAndNoMore) {
  const auto id = made(2);
  EXPECT_EQ(pending(id), 2U);
  step(id, 1);
  EXPECT_EQ(pending(id), 3U);
  step(id, 100);
  EXPECT_EQ(pending(id), 3U);
}

TEST_F(ReplayLogSequences, ReadTheSideThatTheLastStepWrote) {
  const auto id = made(5);
  const std::uint32_t first = side(id);
  step(id, 1);
  EXPECT_NE(side(id), first);
  sequences_.truncate(id, 4);
  EXPECT_NE(side(id), first) << "a cut moves nothing";
  step(id, 2);
  EXPECT_EQ(side(id), first);
}

TEST_F(ReplayLogSequences, LoseWhatIsTakenBack) {
  const auto id = made(10);
  sequences_.truncate(id, 8);
  EXPECT_EQ(pending(id), 1U) << "the matrix knows 7 tokens";
  step(id, 1);
  EXPECT_EQ(pending(id), 2U);
  sequences_.truncate(id, 0);
  EXPECT_EQ(pending(id), 0U);
}

TEST_F(ReplayLogSequences, KeepTheLogInCopiesThoughNothingCanBeTakenBackThere) {
  const auto id = made(10);
  const auto fork = sequences_.fork(id, 0, 10);
  EXPECT_EQ(pending(fork), 3U);
  EXPECT_EQ(side(fork), side(id));
  EXPECT_EQ(sequences_.restorable(fork, 9), 0U);
  const auto kept = sequences_.create_checkpoint(id);
  sequences_.truncate(id, 7);
  sequences_.restore(id, kept);
  EXPECT_EQ(pending(id), 3U);
}

TEST_F(ReplayLogSequences, AreGivenAsPiecesOfFixedSizesWithZerosForWhatTheLogLacks) {
  const auto id = made(10);
  sequences_.truncate(id, 8);
  const SequenceState& state = sequences_.sequence(id);
  const auto pieces = states_.pieces(state.slot, state.lengths, state.replays);
  ASSERT_EQ(pieces.size(), 2 * (1 + 2 * 3U)) << "two layers: a matrix, values, keys";
  const std::byte* const entry = states_.data(state.slot);
  const ReplayLog& log = plan_.entry(0).log;
  EXPECT_EQ(pieces[0].data, entry);
  EXPECT_EQ(pieces[0].bytes, kSmall.matrix_bytes());
  for (std::size_t i = 0; i < 3; ++i) {  // tokens 5, 6 and 7, of which the log has the last
    const auto place = static_cast<std::int64_t>((5 + i) % 3);
    EXPECT_EQ(pieces[1 + i].data, entry + log.values_offset + place * log.value_bytes);
    EXPECT_EQ(pieces[1 + i].is_zero, i < 2);
    EXPECT_EQ(pieces[4 + i].data,
              entry + log.keys_offset + (state.replays[0].side * 3 + place) * log.key_bytes);
    EXPECT_EQ(pieces[4 + i].is_zero, i < 2);
  }
}

TEST_F(ReplayLogSequences, RefuseAFilledLogThatCannotBe) {
  const auto id = sequences_.create_filled(std::array<std::uint64_t, 1>{2});
  sequences_.set_pending(id, std::array<std::uint64_t, 1>{2});
  EXPECT_EQ(pending(id), 2U);
  EXPECT_THROW(sequences_.set_pending(id, std::array<std::uint64_t, 1>{3}), Error)
      << "more than it has tokens";
  const auto longer = sequences_.create_filled(std::array<std::uint64_t, 1>{20});
  EXPECT_THROW(sequences_.set_pending(longer, std::array<std::uint64_t, 1>{4}), Error)
      << "more than the log holds";
}

}  // namespace
}  // namespace vernal::backend
