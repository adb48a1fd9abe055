#include "shared/state/sequences.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "plain_memory.hpp"

namespace vernal::backend {
namespace {

constexpr std::int64_t kPages = 8;
constexpr std::int64_t kPageBytes = 256;

class SequencesOfPool : public testing::Test {
 protected:
  /// Takes room for `count` tokens and writes `mark` where they go, as a step would.
  void write(vernal_sequence_id id, std::uint64_t count, char mark) {
    sequences_.reserve(id, count);
    const SequenceState& state = sequences_.sequence(id);
    for (std::uint64_t i = 0; i < count; ++i) *slot(state, state.lengths[0] + i) = std::byte(mark);
    sequences_.commit(id, 0, count);
  }

  std::string read(const SequenceState& state) const {
    std::string out;
    for (std::uint64_t i = 0; i < state.lengths[0]; ++i) out += static_cast<char>(*slot(state, i));
    return out;
  }
  std::string read(vernal_sequence_id id) { return read(sequences_.sequence(id)); }

  std::byte* slot(const SequenceState& state, std::uint64_t position) const {
    return pages_.data() + state.pages[0].ids[position / kPageTokens] * kPageBytes +
           position % kPageTokens;
  }

  std::int32_t code_of(const std::function<void()>& call) const {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_NE(std::strlen(error.what()), 0U);
      return error.code();
    }
    return VERNAL_OK;
  }

  static Module attention_module() {
    Module module;
    module.functions.resize(1);
    return module;
  }

  PlainMemory memory_;
  const StatePlan plan_{attention_module(), PlanOptions{}};
  StateStore states_{memory_, plan_};
  KvPages pages_{memory_, kPages, kPageBytes};
  const std::vector<KvGroup> groups_ = std::vector<KvGroup>(1);
  Sequences sequences_{{&pages_, 1}, groups_, states_, {1000, 4, 2}};
};

TEST_F(SequencesOfPool, ReserveAllOrNothing) {
  const auto a = sequences_.create();
  const auto b = sequences_.create();
  sequences_.reserve(a, 64 * 5);
  EXPECT_EQ(pages_.num_free(), 3);
  EXPECT_EQ(code_of([&] { sequences_.reserve(b, 64 * 4); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(pages_.num_free(), 3);
  sequences_.reserve(b, 64 * 3);
  EXPECT_EQ(pages_.num_free(), 0);
  sequences_.release(a);
  EXPECT_EQ(pages_.num_free(), 5);
  sequences_.release(b);
  EXPECT_EQ(pages_.num_free(), kPages);
}

TEST_F(SequencesOfPool, ReserveTwiceTakesTheGreaterNotTheSum) {
  const auto a = sequences_.create();
  sequences_.reserve(a, 100);
  sequences_.reserve(a, 60);
  EXPECT_EQ(sequences_.sequence(a).reserved[0], 100U);
  EXPECT_EQ(pages_.num_free(), kPages - 2);
}

TEST_F(SequencesOfPool, RefuseMoreThanTheContextLength) {
  KvPages many(memory_, 100, kPageBytes);
  Sequences sequences({&many, 1}, groups_, states_, {1000, 4, 1});
  const auto a = sequences.create();
  EXPECT_EQ(code_of([&] { sequences.reserve(a, 1001); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(code_of([&] { sequences.reserve(a, ~std::uint64_t{0}); }), VERNAL_RESOURCE_EXHAUSTED);
  sequences.reserve(a, 1000);
}

TEST_F(SequencesOfPool, AnswerStaleIdsWithNotFound) {
  const auto a = sequences_.create();
  sequences_.release(a);
  const auto b = sequences_.create();
  EXPECT_NE(a, b);
  EXPECT_EQ(code_of([&] { sequences_.release(a); }), VERNAL_NOT_FOUND);
  EXPECT_EQ(code_of([&] { sequences_.reserve(a, 1); }), VERNAL_NOT_FOUND);
  EXPECT_EQ(code_of([&] { sequences_.release(0); }), VERNAL_NOT_FOUND);
  EXPECT_EQ(code_of([&] { sequences_.release(~std::uint64_t{0}); }), VERNAL_NOT_FOUND);
  EXPECT_EQ(code_of([&] { sequences_.release_checkpoint(b); }), VERNAL_NOT_FOUND);
}

TEST_F(SequencesOfPool, ForkSharesThePrefixAndGoesOnIndependently) {
  const auto parent = sequences_.create();
  write(parent, 100, 'p');
  const auto child = sequences_.fork(parent, 0, 90);
  EXPECT_EQ(pages_.num_free(), kPages - 2);  // nothing copied yet
  write(child, 20, 'c');
  write(parent, 20, 'q');
  EXPECT_EQ(read(parent), std::string(100, 'p') + std::string(20, 'q'));
  EXPECT_EQ(read(child), std::string(90, 'p') + std::string(20, 'c'));
  EXPECT_EQ(pages_.num_free(), kPages - 3);  // the first page is one
  sequences_.release(parent);
  EXPECT_EQ(read(child), std::string(90, 'p') + std::string(20, 'c'));
  sequences_.release(child);
  EXPECT_EQ(pages_.num_free(), kPages);
}

TEST_F(SequencesOfPool, ForkAtAPageBorderCopiesNothing) {
  const auto parent = sequences_.create();
  write(parent, 128, 'p');
  const auto child = sequences_.fork(parent, 0, 128);
  write(child, 1, 'c');
  EXPECT_EQ(pages_.num_free(), kPages - 3);
}

TEST_F(SequencesOfPool, ForkBehindTheEndIsRefused) {
  const auto parent = sequences_.create();
  write(parent, 10, 'p');
  EXPECT_EQ(code_of([&] { sequences_.fork(parent, 0, 11); }), VERNAL_NOT_RESTORABLE);
  EXPECT_EQ(code_of([&] { sequences_.fork(0, 0, 1); }), VERNAL_INVALID_ARGUMENT);
}

TEST_F(SequencesOfPool, TruncateThenWriteLeavesAForkAlone) {
  const auto parent = sequences_.create();
  write(parent, 100, 'p');
  const auto child = sequences_.fork(parent, 0, 100);
  sequences_.truncate(parent, 30);
  write(parent, 70, 'n');
  EXPECT_EQ(read(child), std::string(100, 'p'));
  EXPECT_EQ(read(parent), std::string(30, 'p') + std::string(70, 'n'));
}

TEST_F(SequencesOfPool, TruncateGivesPagesBackAndForgetsReservations) {
  const auto a = sequences_.create();
  write(a, 200, 'a');
  sequences_.reserve(a, 200);
  sequences_.truncate(a, 65);
  EXPECT_EQ(pages_.num_free(), kPages - 2);
  EXPECT_EQ(sequences_.sequence(a).reserved[0], 65U);
  EXPECT_EQ(code_of([&] { sequences_.truncate(a, 66); }), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(read(a), std::string(65, 'a'));
  sequences_.reserve(a, 200);
  sequences_.truncate(a, 65);
  EXPECT_EQ(pages_.num_free(), kPages - 2) << "a cut to where it is";
  sequences_.truncate(a, 0);
  EXPECT_EQ(pages_.num_free(), kPages);
}

TEST_F(SequencesOfPool, RestoreGivesBackExactlyTheCheckpoint) {
  const auto a = sequences_.create();
  write(a, 70, 'a');
  const auto checkpoint = sequences_.create_checkpoint(a);
  write(a, 30, 'b');
  sequences_.truncate(a, 10);
  write(a, 90, 'c');
  EXPECT_EQ(read(sequences_.checkpoint(checkpoint)), std::string(70, 'a'));
  for (int round = 0; round < 2; ++round) {
    sequences_.restore(a, checkpoint);
    EXPECT_EQ(read(a), std::string(70, 'a'));
    write(a, 5, 'd');
    EXPECT_EQ(read(a), std::string(70, 'a') + std::string(5, 'd'));
  }
  const auto fork = sequences_.fork(0, checkpoint, 66);
  sequences_.release(a);
  EXPECT_EQ(sequences_.pages_held_by_checkpoints(), 0);
  sequences_.release(fork);
  EXPECT_EQ(sequences_.pages_held_by_checkpoints(), 2);
  EXPECT_EQ(sequences_.page_bytes_held_alone(sequences_.checkpoint(checkpoint)), 2 * kPageBytes);
  sequences_.release_checkpoint(checkpoint);
  EXPECT_EQ(pages_.num_free(), kPages);
}

TEST_F(SequencesOfPool, ExhaustionInACopyChangesNothing) {
  const auto a = sequences_.create();
  write(a, 64 * 7 + 10, 'a');
  const auto child = sequences_.fork(a, 0, 64 * 7 + 10);
  EXPECT_EQ(code_of([&] { sequences_.reserve(child, 1); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(read(child), std::string(64 * 7 + 10, 'a'));
  sequences_.release(a);
  write(child, 1, 'c');
  EXPECT_EQ(read(child), std::string(64 * 7 + 10, 'a') + "c");
}

}  // namespace
}  // namespace vernal::backend
