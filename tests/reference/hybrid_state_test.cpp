// The state of a hybrid model: forks, truncates, checkpoints, and other sequences of a step
// (sdk/spec/state.md, section 7). The logits that follow must be the same to the bit.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"
#include "support/snapshot_bytes.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

using Logits = std::vector<float>;

std::int32_t code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return VERNAL_OK;
}

class HybridState : public testing::TestWithParam<std::string> {
 protected:
  /// Loads the model with a plan in which `rollback_depth` tokens can be taken back.
  void open(std::uint64_t rollback_depth, std::uint64_t context_length = 128) {
    ModelOptions options;
    options.backend = GetParam();
    options.keys = options.values = GetParam() == "reference" ? "f32" : "f16";
    options.context_length = context_length;
    options.max_sequences = 8;
    options.rollback_depth = rollback_depth;
    options.max_checkpoints = 2;
    model_ = std::make_unique<ModelUnderTest>(
        golden_folder("tiny-qwen35-iq4_ks") / "tiny-qwen35-iq4_ks.gguf", options);
  }
  plugin::BackendPool& pool() { return model_->pool(); }

  vernal_sequence_id fed(const Tokens& tokens) {
    const auto sequence = model_->sequence(tokens.size() + 40);
    model_->feed(sequence, tokens, 0);
    return sequence;
  }
  /// The logits of a sequence for ten more tokens, fed one by one.
  Logits next(vernal_sequence_id sequence, std::uint32_t seed = 5) {
    EXPECT_TRUE(pool().seq_reserve(sequence, 10));
    return model_->feed(sequence, tokens_of(seed, 10), 1);
  }

  std::unique_ptr<ModelUnderTest> model_;
};

TEST_P(HybridState, SaysWhatItIs) {
  open(0);
  const vernal_pool_info info = pool().info();
  EXPECT_EQ(info.flags & VERNAL_POOL_TRUNCATE_ANY, 0U);
  // In f32: 3 layers, each with 4 matrices of 128 x 128, and with 3 columns of 1024 channels.
  const std::uint64_t state = 3 * (4 * 128 * 128 + 3 * 1024) * sizeof(float);
  EXPECT_EQ(info.bytes_per_sequence, state);
  EXPECT_EQ(info.bytes_per_checkpoint, state);
}

TEST_P(HybridState, AForkSharesNothing) {
  open(0);
  const Tokens prompt = tokens_of(1, 20);
  const Logits expected = next(fed(prompt));
  const auto parent = fed(prompt);
  const auto child = pool().seq_fork(parent, 0, 20);
  ASSERT_TRUE(child);
  const Logits elsewhere = next(*child, 6);
  EXPECT_TRUE(same_bits(next(parent), expected)) << "the child's tokens reached the parent";
  const auto again = pool().seq_fork(fed(prompt), 0, 20);
  ASSERT_TRUE(again);
  EXPECT_TRUE(same_bits(next(*again, 6), elsewhere)) << "a fork is not its parent";
  EXPECT_EQ(pool().seq_fork(parent, 0, 20), std::nullopt) << "no smaller position";
}

TEST_P(HybridState, ARefusedTruncateChangesNothing) {
  open(0);
  const Tokens prompt = tokens_of(2, 20);
  const Logits expected = next(fed(prompt));
  const auto sequence = fed(prompt);
  for (const std::uint64_t length : {1U, 10U, 19U}) {
    EXPECT_FALSE(pool().seq_truncate(sequence, length)) << length;
    EXPECT_EQ(pool().seq_restorable(sequence, length), 0U);
  }
  EXPECT_EQ(code_of([&] { (void)pool().seq_truncate(sequence, 21); }), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(pool().seq_restorable(sequence, 20), 20U);
  EXPECT_TRUE(pool().seq_truncate(sequence, 20));
  EXPECT_EQ(pool().seq_length(sequence, 0), 20U);
  EXPECT_TRUE(same_bits(next(sequence), expected));
}

TEST_P(HybridState, ATruncateToNothingStartsAnew) {
  open(0);
  const Tokens prompt = tokens_of(3, 20);
  const Logits expected = next(fed(prompt));
  const auto sequence = fed(tokens_of(4, 30));
  ASSERT_TRUE(pool().seq_truncate(sequence, 0));
  EXPECT_EQ(pool().seq_length(sequence, 0), 0U);
  ASSERT_TRUE(pool().seq_reserve(sequence, 60));
  model_->feed(sequence, prompt, 0);
  EXPECT_TRUE(same_bits(next(sequence), expected));
}

TEST_P(HybridState, TakesBackAsManyTokensAsThePlanSays) {
  open(3);
  const Tokens prompt = tokens_of(5, 20);
  const Tokens shorter(prompt.begin(), prompt.begin() + 17);
  const Logits expected = next(fed(shorter));
  const auto sequence = fed(prompt);
  EXPECT_EQ(pool().seq_restorable(sequence, 16), 0U);
  EXPECT_FALSE(pool().seq_truncate(sequence, 16));
  EXPECT_EQ(pool().seq_restorable(sequence, 17), 17U);
  ASSERT_TRUE(pool().seq_truncate(sequence, 17));
  EXPECT_TRUE(same_bits(next(sequence), expected));
  // Tokens that were stepped one by one can be taken back too, but never tokens before a fork.
  ASSERT_TRUE(pool().seq_truncate(sequence, 25));
  const auto fork = pool().seq_fork(sequence, 0, 25);
  ASSERT_TRUE(fork);
  EXPECT_FALSE(pool().seq_truncate(*fork, 24));
}

TEST_P(HybridState, ARestoreContinuesBitExactly) {
  open(2);
  const Tokens prompt = tokens_of(6, 20);
  const auto sequence = fed(prompt);
  const auto checkpoint = pool().checkpoint_create(sequence);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(pool().checkpoint_info(*checkpoint).position, 20U);
  const Logits expected = next(sequence);
  for (int i = 0; i < 2; ++i) {
    pool().seq_restore(sequence, *checkpoint);
    EXPECT_EQ(pool().seq_length(sequence, 0), 20U);
    EXPECT_FALSE(pool().seq_truncate(sequence, 19)) << "nothing was stepped since";
    EXPECT_TRUE(same_bits(next(sequence), expected)) << "restore " << i;
  }
  const auto other = fed(tokens_of(7, 33));
  pool().seq_restore(other, *checkpoint);
  EXPECT_TRUE(same_bits(next(other), expected)) << "into another sequence";
  const auto fork = pool().seq_fork(0, *checkpoint, 20);
  ASSERT_TRUE(fork);
  EXPECT_TRUE(same_bits(next(*fork), expected)) << "as a fork";
}

TEST_P(HybridState, HoldsNoMoreCheckpointsThanThePlan) {
  open(0);
  const auto sequence = fed(tokens_of(8, 20));
  const auto first = pool().checkpoint_create(sequence);
  const auto second = pool().checkpoint_create(sequence);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(pool().checkpoint_create(sequence), std::nullopt);
  pool().checkpoint_release(*first);
  EXPECT_TRUE(pool().checkpoint_create(sequence));
  EXPECT_EQ(code_of([&] { pool().seq_restore(sequence, *first); }), VERNAL_NOT_FOUND);
}

TEST_P(HybridState, ARestoreTakesNoRoomThatItsCheckpointHasAlready) {
  open(0);
  const auto sequence = fed(tokens_of(6, 60));
  const auto checkpoint = pool().checkpoint_create(sequence);
  ASSERT_TRUE(checkpoint);
  EXPECT_TRUE(pool().seq_truncate(sequence, 0));
  const auto info = pool().info();
  std::vector<vernal_sequence_id> others;  // until all room is taken
  while (const auto other = pool().seq_create()) {
    others.push_back(*other);
    if (!pool().seq_reserve(*other, 64)) break;
  }
  pool().seq_restore(sequence, *checkpoint);
  EXPECT_EQ(pool().seq_length(sequence, 0), 60U);
  for (const auto other : others) pool().seq_release(other);
  EXPECT_EQ(pool().info().free_tokens, info.free_tokens);
}

TEST_P(HybridState, OtherSequencesChangeNothing) {
  open(0, 4096);  // so that a sequence may have many pages, and its row of their numbers is long
  const Tokens prompt = tokens_of(9, 24);
  const auto alone = model_->sequence(40);
  Logits expected;
  for (const std::int32_t token : prompt) {
    const auto logits = model_->step({{alone, {token}}});
    expected.insert(expected.end(), logits[0].begin(), logits[0].end());
  }
  // Those before and behind it in the steps get other tokens, up to three at a time.
  const auto of_before = [](std::size_t i) {
    return tokens_of(static_cast<std::uint32_t>(100 + i), 1 + i % 3);
  };
  const auto sequence = model_->sequence(40);
  const auto before = model_->sequence(80);
  const auto behind = model_->sequence(80);
  std::array<Logits, 2> found;
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    const auto seed = static_cast<std::uint32_t>(101 + i);
    const auto logits = model_->step(
        {{before, of_before(i)}, {sequence, {prompt[i]}}, {behind, tokens_of(seed, 1 + i % 2)}});
    for (std::size_t part = 0; part < found.size(); ++part) {
      found[part].insert(found[part].end(), logits[part].begin(), logits[part].end());
    }
  }
  EXPECT_TRUE(same_bits(found[1], expected));

  pool().seq_release(before);
  const auto before_alone = model_->sequence(80);
  Logits expected_before;
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    const auto logits = model_->step({{before_alone, of_before(i)}});
    expected_before.insert(expected_before.end(), logits[0].begin(), logits[0].end());
  }
  EXPECT_TRUE(same_bits(found[0], expected_before));
}

TEST_P(HybridState, ACheckpointHoldsAStepThatNobodyHasWaitedFor) {
  open(0);
  const auto sequence = model_->sequence(40);
  const auto waited = model_->sequence(40);
  for (const std::uint32_t seed : {31U, 32U, 33U}) {
    const auto export_checkpoint = [&](vernal_sequence_id of) {
      const auto checkpoint = pool().checkpoint_create(of);
      const std::string bytes = export_bytes(pool(), 0, *checkpoint);
      pool().checkpoint_release(*checkpoint);
      return bytes;
    };
    plugin::BackendStep step = model_->start({{sequence, tokens_of(seed, 3)}});
    const std::string found = export_checkpoint(sequence);
    ASSERT_TRUE(step.wait(0));
    model_->step({{waited, tokens_of(seed, 3)}});
    EXPECT_TRUE(found == export_checkpoint(waited)) << "step " << seed;
  }
}

TEST_P(HybridState, AFailedStepLeavesEverySequenceAsItWas) {
  open(0);
  if ((pool().info().flags & VERNAL_POOL_STEP_ATOMIC) == 0) {
    GTEST_SKIP() << "this backend does not promise it";
  }
  const Tokens prompt = tokens_of(10, 20);
  const Logits expected = next(fed(prompt));
  const auto sequence = fed(prompt);
  EXPECT_THROW(model_->step({{sequence, {5, 1 << 20}}}), Error);
  EXPECT_EQ(pool().seq_length(sequence, 0), 20U);
  EXPECT_TRUE(same_bits(next(sequence), expected));
}

TEST_P(HybridState, GivesEverythingBack) {
  open(0);
  const std::uint64_t free_tokens = pool().info().free_tokens;
  const auto sequence = fed(tokens_of(11, 20));
  const auto checkpoint = pool().checkpoint_create(sequence);
  const auto fork = pool().seq_fork(sequence, 0, 20);
  ASSERT_TRUE(checkpoint && fork);
  EXPECT_LT(pool().info().free_tokens, free_tokens);
  pool().seq_release(sequence);
  pool().seq_release(*fork);
  pool().checkpoint_release(*checkpoint);
  EXPECT_EQ(pool().info().free_tokens, free_tokens);
}

INSTANTIATE_TEST_SUITE_P(Backends, HybridState, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test
