#include "shared/buffer_planner.hpp"

#include <gtest/gtest.h>

namespace vernal::cpu_avx2 {
namespace {

/// Touches buffers and does nothing.
class Touch final : public Operation {
 public:
  Touch(std::vector<BufferId> read, std::vector<BufferId> written) {
    reads = std::move(read);
    writes = std::move(written);
  }
  void run(const StepContext&, Worker&) const noexcept override {}
};

std::vector<std::unique_ptr<Operation>> operations(
    std::initializer_list<std::pair<std::vector<BufferId>, std::vector<BufferId>>> list) {
  std::vector<std::unique_ptr<Operation>> out;
  for (const auto& [read, written] : list) out.push_back(std::make_unique<Touch>(read, written));
  return out;
}

TEST(BufferPlanner, SharesMemoryBetweenBuffersThatAreNeverAliveTogether) {
  BufferPlanner planner;
  for (int i = 0; i < 4; ++i) planner.add_arena(1000);
  const auto chain = operations({{{}, {0}}, {{0}, {1}}, {{1}, {2}}, {{2}, {3}}});
  planner.place(chain);
  EXPECT_EQ(planner.arena_bytes(), 2 * 1024);
  const auto& at = planner.locations();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(at[i].offset, at[i + 1].offset);
}

TEST(BufferPlanner, KeepsOutputsApart) {
  BufferPlanner planner;
  const BufferId a = planner.add_arena(64);
  const BufferId b = planner.add_arena(64);
  planner.make_output(a);
  planner.make_output(b);
  planner.place(operations({{{}, {a}}, {{}, {b}}}));
  EXPECT_EQ(planner.arena_bytes(), 0);
  EXPECT_EQ(planner.output_bytes(), 128);
  EXPECT_NE(planner.locations()[0].offset, planner.locations()[1].offset);
}

TEST(Barriers, StandOnlyWhereMemoryIsShared) {
  BufferPlanner planner;
  for (int i = 0; i < 5; ++i) planner.add_arena(64);
  // 0 is made; 1, 2 and 3 are made from it independently; 4 needs two of them.
  const auto list =
      operations({{{}, {0}}, {{0}, {1}}, {{0}, {2}}, {{0}, {3}}, {{1, 2}, {4}}, {{3, 4}, {3}}});
  planner.place(list);
  place_barriers(list, planner.locations());
  EXPECT_FALSE(list[0]->needs_barrier);
  EXPECT_TRUE(list[1]->needs_barrier);
  EXPECT_FALSE(list[2]->needs_barrier);
  EXPECT_FALSE(list[3]->needs_barrier);
  EXPECT_TRUE(list[4]->needs_barrier);
  EXPECT_TRUE(list[5]->needs_barrier);
}

TEST(Barriers, StandBeforeAWriteToMemoryThatAnotherBufferUsed) {
  BufferPlanner planner;
  const BufferId a = planner.add_arena(64);
  const BufferId b = planner.add_arena(64);
  const BufferId c = planner.add_arena(64);  // takes the place of a
  const auto list = operations({{{}, {a}}, {{a}, {b}}, {{}, {c}}, {{b, c}, {}}});
  planner.place(list);
  ASSERT_EQ(planner.locations()[0].offset, planner.locations()[2].offset);
  place_barriers(list, planner.locations());
  EXPECT_TRUE(list[2]->needs_barrier);
}

}  // namespace
}  // namespace vernal::cpu_avx2
