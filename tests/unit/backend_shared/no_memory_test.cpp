// A pool loses neither pages nor slots when there is no memory for what describes them.
#include <gtest/gtest.h>

#include <functional>
#include <new>

#include "plain_memory.hpp"
#include "shared/state/sequences.hpp"
#include "support/failing_new/failing_new.hpp"

namespace vernal::backend {
namespace {

using test::FailingNew;

constexpr std::int64_t kPages = 16;

/// One function with pages, and recurrent states for two sequences and two checkpoints.
class SequencesWithoutMemory : public testing::Test {
 protected:
  static Module attention_module() {
    Module module;
    module.functions.resize(1);
    return module;
  }

  PlainMemory memory_;
  const StatePlan plan_{attention_module(), PlanOptions{}};
  StateStore states_{memory_, plan_};
  KvPages pages_{memory_, kPages, 256};
  const std::vector<KvGroup> groups_ = std::vector<KvGroup>(1);
  Sequences sequences_{{&pages_, 1}, groups_, states_, {1000, 4, 2}};

  void use_and_release_all() {
    std::vector<vernal_sequence_id> made;
    vernal_checkpoint_id checkpoint = 0;
    try {
      made.reserve(4);
      made.push_back(sequences_.create());
      sequences_.reserve(made[0], 200);
      sequences_.commit(made[0], 0, 150);
      made.push_back(sequences_.fork(made[0], 0, 100));
      sequences_.reserve(made[1], 200);
      checkpoint = sequences_.create_checkpoint(made[0]);
      made.push_back(sequences_.fork(0, checkpoint, 150));
      made.push_back(sequences_.create_filled(std::array<std::uint64_t, 1>{130}));
    } catch (const std::bad_alloc&) {
      has_thrown_ = true;
    }
    for (const auto sequence : made) sequences_.release(sequence);
    if (checkpoint != 0) sequences_.release_checkpoint(checkpoint);
  }

  bool has_thrown_ = false;
};

TEST_F(SequencesWithoutMemory, KeepNoPageOfWhatWasNotMade) {
  std::uint64_t number = 0;
  for (bool has_failed = true; has_failed;) {
    has_thrown_ = false;
    {
      const FailingNew failing(++number);
      use_and_release_all();
      has_failed = failing.has_failed();
    }
    ASSERT_EQ(has_thrown_, has_failed) << "allocation " << number;
    ASSERT_EQ(pages_.num_free(), kPages) << "allocation " << number;
  }
  EXPECT_GT(number, 20U);
}

}  // namespace
}  // namespace vernal::backend
