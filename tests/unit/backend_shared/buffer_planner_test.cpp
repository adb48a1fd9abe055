#include "shared/compile/buffer_planner.hpp"

#include <gtest/gtest.h>

namespace vernal::backend {
namespace {

/// Operations that touch buffers, in their order.
class Operations {
 public:
  Operations(std::initializer_list<std::pair<std::vector<BufferId>, std::vector<BufferId>>> list) {
    for (const auto& [read, written] : list) uses_.push_back({read, written, false});
    for (BufferUse& use : uses_) all_.push_back(&use);
  }
  const std::vector<BufferUse*>& all() const { return all_; }
  const BufferUse& operator[](std::size_t i) const { return uses_[i]; }

 private:
  std::vector<BufferUse> uses_;
  std::vector<BufferUse*> all_;
};

TEST(BufferPlanner, SharesMemoryBetweenBuffersThatAreNeverAliveTogether) {
  BufferPlanner planner;
  for (int i = 0; i < 4; ++i) planner.add_arena(1000);
  const Operations chain({{{}, {0}}, {{0}, {1}}, {{1}, {2}}, {{2}, {3}}});
  planner.place(chain.all());
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
  planner.place(Operations({{{}, {a}}, {{}, {b}}}).all());
  EXPECT_EQ(planner.arena_bytes(), 0);
  EXPECT_EQ(planner.output_bytes(), 128);
  EXPECT_NE(planner.locations()[0].offset, planner.locations()[1].offset);
}

TEST(Barriers, StandOnlyWhereMemoryIsShared) {
  BufferPlanner planner;
  for (int i = 0; i < 5; ++i) planner.add_arena(64);
  // 0 is made; 1, 2 and 3 are made from it independently; 4 needs two of them.
  const Operations list(
      {{{}, {0}}, {{0}, {1}}, {{0}, {2}}, {{0}, {3}}, {{1, 2}, {4}}, {{3, 4}, {3}}});
  planner.place(list.all());
  place_barriers(list.all(), planner.locations());
  EXPECT_FALSE(list[0].needs_barrier);
  EXPECT_TRUE(list[1].needs_barrier);
  EXPECT_FALSE(list[2].needs_barrier);
  EXPECT_FALSE(list[3].needs_barrier);
  EXPECT_TRUE(list[4].needs_barrier);
  EXPECT_TRUE(list[5].needs_barrier);
}

TEST(Barriers, StandBeforeAWriteToMemoryThatAnotherBufferUsed) {
  BufferPlanner planner;
  const BufferId a = planner.add_arena(64);
  const BufferId b = planner.add_arena(64);
  const BufferId c = planner.add_arena(64);  // takes the place of a
  const Operations list({{{}, {a}}, {{a}, {b}}, {{}, {c}}, {{b, c}, {}}});
  planner.place(list.all());
  ASSERT_EQ(planner.locations()[0].offset, planner.locations()[2].offset);
  place_barriers(list.all(), planner.locations());
  EXPECT_TRUE(list[2].needs_barrier);
}

}  // namespace
}  // namespace vernal::backend
