// Sequences with states of constant size, and with a function beside `main`.
#include <gtest/gtest.h>

#include <functional>

#include "plain_memory.hpp"
#include "shared/state/sequences.hpp"

namespace vernal::backend {
namespace {

constexpr std::int64_t kPages = 8;
constexpr std::int64_t kPageBytes = 256;
constexpr std::size_t kMain = 0;
constexpr std::size_t kMtp = 1;

/// `main` with a matrix of 2 x 3 x 5 and a convolution of 4 taps over 6 channels; `mtp` with KV
/// alone.
Module hybrid_module() {
  Module module;
  module.functions.resize(2);
  State recurrent;
  recurrent.kind = VERNAL_STATE_RECURRENT;
  recurrent.num_heads = 2;
  recurrent.key_dim = 3;
  recurrent.value_dim = 5;
  State conv;
  conv.kind = VERNAL_STATE_CONV;
  conv.channels = 6;
  conv.width = 4;
  State kv;
  kv.kind = VERNAL_STATE_KV;
  kv.function = kMtp;
  module.states = {recurrent, conv, kv};
  return module;
}

PlanOptions options_of(std::uint64_t rollback_depth) {
  PlanOptions options;
  options.max_sequences = 3;
  options.max_checkpoints = 2;
  options.rollback_depth = rollback_depth;
  return options;
}

class HybridSequences : public testing::TestWithParam<std::uint64_t> {
 protected:
  /// Commits tokens as a step of `main` would: every number of the newest state becomes `mark`.
  void write(vernal_sequence_id id, std::uint64_t count, float mark) {
    sequences_.reserve(id, count);
    for (std::uint64_t i = 0; i < count; ++i) {
      sequences_.commit(id, kMain, 1);
      for (const StatePlan::Entry& entry : plan_.entries()) {
        if (entry.kind == VERNAL_STATE_KV) continue;
        std::fill_n(newest(id, entry), entry.part_bytes / 4,
                    mark + static_cast<float>(sequences_.sequence(id).lengths[kMain]));
      }
    }
  }

  /// The part of a state that the last committed token wrote.
  float* newest(vernal_sequence_id id, const StatePlan::Entry& entry) {
    const SequenceState& state = sequences_.sequence(id);
    const std::uint64_t length = state.lengths[kMain];
    const std::uint64_t part = entry.kind == VERNAL_STATE_CONV ? length - 1 : length;
    const auto index =
        static_cast<std::int64_t>(part % static_cast<std::uint64_t>(entry.num_parts));
    return reinterpret_cast<float*>(states_.data(state.slot) + entry.offset +
                                    index * entry.part_bytes);
  }

  /// The mark of the newest state, the same in all of it.
  float read(vernal_sequence_id id) {
    const float first = *newest(id, plan_.entry(0));
    for (const StatePlan::Entry& entry : plan_.entries()) {
      if (entry.kind == VERNAL_STATE_KV) continue;
      for (std::int64_t i = 0; i < entry.part_bytes / 4; ++i) {
        EXPECT_EQ(newest(id, entry)[i], first);
      }
    }
    return first;
  }

  static std::int32_t code_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return VERNAL_OK;
  }

  PlainMemory memory_;
  const StatePlan plan_{hybrid_module(), options_of(GetParam())};
  StateStore states_{memory_, plan_};
  std::vector<KvPages> pages_ = [this] {
    std::vector<KvPages> out;
    out.emplace_back(memory_, kPages, kPageBytes);
    out.emplace_back(memory_, kPages, kPageBytes);
    return out;
  }();
  const std::vector<KvGroup> groups_ = [] {
    std::vector<KvGroup> out(2);
    out[kMtp].function = kMtp;
    return out;
  }();
  Sequences sequences_{pages_, groups_, states_, {1000, 4, 2}};
};

TEST_P(HybridSequences, HaveSlotsOfTheSizeThatThePlanSays) {
  const auto depth = static_cast<std::int64_t>(GetParam());
  const auto padded = [](std::int64_t bytes) { return (bytes + 63) / 64 * 64; };
  EXPECT_EQ(plan_.slot_bytes(), padded((depth + 1) * 2 * 3 * 5 * 4) + padded((3 + depth) * 6 * 4));
  EXPECT_EQ(plan_.checkpoint_bytes(), padded(2 * 3 * 5 * 4) + padded((3 + depth) * 6 * 4));
  EXPECT_EQ(plan_.bytes(), 3 * plan_.slot_bytes());
  EXPECT_TRUE(plan_.is_exact(kMain));
  EXPECT_FALSE(plan_.is_exact(kMtp));
}

TEST_P(HybridSequences, TakeASlotEachAndGiveItBack) {
  const auto a = sequences_.create();
  write(a, 5, 100);
  const auto b = sequences_.create();
  const auto c = sequences_.fork(a, 0, 5);
  EXPECT_EQ(code_of([&] { sequences_.create(); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(code_of([&] { sequences_.fork(a, 0, 5); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(read(a), 105.0F);
  for (const auto id : {a, b, c}) sequences_.release(id);
  EXPECT_EQ(states_.num_free(), 3);
  EXPECT_EQ(pages_[kMain].num_free(), kPages);
  EXPECT_EQ(pages_[kMtp].num_free(), kPages);
}

TEST_P(HybridSequences, ForkCopiesTheStateAndGoesOnIndependently) {
  const auto parent = sequences_.create();
  write(parent, 7, 100);
  EXPECT_EQ(code_of([&] { sequences_.fork(parent, 0, 6); }), VERNAL_NOT_RESTORABLE);
  const auto child = sequences_.fork(parent, 0, 7);
  EXPECT_EQ(read(child), 107.0F);
  write(child, 2, 200);
  EXPECT_EQ(read(parent), 107.0F);
  write(parent, 1, 300);
  EXPECT_EQ(read(child), 209.0F);
}

TEST_P(HybridSequences, TruncateOnlyAsFarBackAsStatesAreKept) {
  const std::uint64_t depth = GetParam();
  const auto a = sequences_.create();
  write(a, 20, 100);
  EXPECT_EQ(sequences_.restorable(a, 20), 20U);
  EXPECT_EQ(sequences_.restorable(a, 20 - depth), 20 - depth);
  EXPECT_EQ(sequences_.restorable(a, 19 - depth), 0U);
  EXPECT_EQ(code_of([&] { sequences_.truncate(a, 19 - depth); }), VERNAL_NOT_RESTORABLE);
  EXPECT_EQ(code_of([&] { sequences_.truncate(a, 21); }), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(read(a), 120.0F);
  for (std::uint64_t back = 1; back <= depth; ++back) {
    sequences_.truncate(a, 20 - back);
    EXPECT_EQ(read(a), 120.0F - static_cast<float>(back));
  }
  // What was taken back is used up.
  EXPECT_EQ(sequences_.restorable(a, 19 - depth), 0U);
  sequences_.truncate(a, 0);
  EXPECT_EQ(sequences_.sequence(a).lengths[kMain], 0U);
  EXPECT_EQ(pages_[kMain].num_free(), kPages);
}

TEST_P(HybridSequences, RestoreGivesBackExactlyTheCheckpoint) {
  const auto a = sequences_.create();
  write(a, 9, 100);
  const auto kept = sequences_.create_checkpoint(a);
  const auto empty = sequences_.create_checkpoint(sequences_.create());
  EXPECT_EQ(code_of([&] { sequences_.create_checkpoint(a); }), VERNAL_RESOURCE_EXHAUSTED);
  for (int round = 0; round < 2; ++round) {
    write(a, 11, 200);
    sequences_.restore(a, kept);
    EXPECT_EQ(sequences_.sequence(a).lengths[kMain], 9U);
    EXPECT_EQ(read(a), 109.0F);
    EXPECT_EQ(sequences_.restorable(a, 8), 0U) << "nothing was stepped since";
  }
  const auto fork = sequences_.fork(0, kept, 9);
  EXPECT_EQ(read(fork), 109.0F);
  sequences_.restore(a, empty);
  EXPECT_EQ(sequences_.sequence(a).lengths[kMain], 0U);
  sequences_.release_checkpoint(kept);
  EXPECT_EQ(read(fork), 109.0F);
  sequences_.create_checkpoint(fork);
}

TEST_P(HybridSequences, FunctionsBehindMainShareOnlyWhatTheyHold) {
  const auto parent = sequences_.create();
  write(parent, 150, 100);
  sequences_.commit(parent, kMtp, 70);
  const auto child = sequences_.fork(parent, 0, 150);
  const SequenceState& mine = sequences_.sequence(parent);
  const SequenceState& theirs = sequences_.sequence(child);
  EXPECT_EQ(theirs.lengths[kMtp], 70U);
  EXPECT_EQ(theirs.reserved[kMtp], 150U);
  ASSERT_EQ(theirs.pages[kMtp].ids.size(), 3U);
  EXPECT_EQ(theirs.pages[kMtp].ids[0], mine.pages[kMtp].ids[0]);
  EXPECT_NE(theirs.pages[kMtp].ids[1], mine.pages[kMtp].ids[1])
      << "both will write behind token 70";
  EXPECT_NE(theirs.pages[kMtp].ids[2], mine.pages[kMtp].ids[2]);
  EXPECT_EQ(theirs.pages[kMain].ids, mine.pages[kMain].ids);
  EXPECT_EQ(pages_[kMtp].num_free(), kPages - 5);
  sequences_.release(child);
  EXPECT_EQ(pages_[kMtp].num_free(), kPages - 3);
}

INSTANTIATE_TEST_SUITE_P(Depths, HybridSequences, testing::Values(0, 3));

}  // namespace
}  // namespace vernal::backend
