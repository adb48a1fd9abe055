// Group state, part two: sequences at other positions, by forks and by truncates.
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"

namespace vernal::check {
namespace {

// ---- forks --------------------------------------------------------------------------------------

template <Memory kMemory>
void test_fork(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids before = tokens(2, 70);
  const Ids left = tokens(3, 5);
  const Ids right = tokens(4, 5);
  const Logits wanted_left = loaded.control(before, left);
  const Logits wanted_right = loaded.control(before, right);
  for (const bool child_first : {true, false}) {
    const vernal_sequence_id parent = loaded.fed(before);
    const auto child = loaded.pool().seq_fork(parent, 0, before.size());
    expect(child.has_value(), "seq_fork at the length of the source was refused");
    expect(loaded.pool().seq_length(*child, 0) == before.size(), "a fork at {} has {} tokens",
           before.size(), loaded.pool().seq_length(*child, 0));
    expect(loaded.pool().seq_reserve(*child, right.size()), "seq_reserve of a fork was refused");
    Logits found_left;
    Logits found_right;
    for (const bool is_child : {child_first, !child_first}) {
      if (is_child) found_right = loaded.go_on(*child, right);
      if (!is_child) found_left = loaded.go_on(parent, left);
    }
    const char* order = child_first ? "the fork goes on first" : "the source goes on first";
    loaded.expect_same(fmt::format("the source of a fork, {}", order), found_left, wanted_left);
    loaded.expect_same(fmt::format("a fork, {}", order), found_right, wanted_right);
    loaded.pool().seq_release(parent);
    Ids more = tokens(5, 3);
    expect(loaded.pool().seq_reserve(*child, more.size()), "seq_reserve of a fork was refused");
    loaded.expect_similar("a fork whose source was released", loaded.go_on(*child, more),
                          loaded.control(concat(before, right), more));
    loaded.pool().seq_release(*child);
  }
}

template <Memory kMemory>
void test_fork_earlier(const Options& options) {
  Loaded loaded(options, kMemory);
  const Ids ids = tokens(2, 70);
  const Ids next = tokens(6, 4);
  const vernal_sequence_id parent = loaded.fed(ids);
  const bool can = loaded.session().has_flag(VERNAL_POOL_TRUNCATE_ANY);
  for (const std::uint64_t position : {1U, 40U, 64U, 69U}) {
    const auto child = loaded.pool().seq_fork(parent, 0, position);
    expect(can == child.has_value(),
           "seq_fork at {} of 70: the pool {} TRUNCATE_ANY, and it was {}", position,
           can ? "says" : "does not say", child ? "done" : "refused");
    if (!child) continue;
    const Ids cut(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(position));
    expect(loaded.pool().seq_reserve(*child, next.size()), "seq_reserve of a fork was refused");
    loaded.expect_similar(fmt::format("a fork at {} of 70", position), loaded.go_on(*child, next),
                          loaded.control(cut, next));
    loaded.pool().seq_release(*child);
  }
  loaded.expect_same("the source of earlier forks", loaded.go_on(parent, next),
                     loaded.control(ids, next));
}

// ---- truncate -----------------------------------------------------------------------------------

template <Memory kMemory>
void test_truncate(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids ids = tokens(13, 70);
  const Ids next = tokens(14, 4);
  for (const std::uint64_t length : {70U, 69U, 67U, 66U, 65U, 64U, 40U, 8U, 1U, 0U}) {
    const vernal_sequence_id sequence = loaded.fed(ids);
    const std::uint64_t restorable = pool.seq_restorable(sequence, length);
    const bool is_done = pool.seq_truncate(sequence, length);
    expect(is_done == (restorable == length),
           "seq_restorable({}) of 70 tokens says {}, seq_truncate was {}", length, restorable,
           is_done ? "done" : "refused");
    expect(is_done || (length != 0 && length != 70), "seq_truncate of 70 to {} was refused",
           length);
    const bool must = loaded.session().has_flag(VERNAL_POOL_TRUNCATE_ANY) || length + 4 >= 70;
    expect(is_done || !must, "seq_truncate of 70 tokens to {} was refused: {}", length,
           length + 4 >= 70 ? "that is within rollback_depth = 4" : "the pool says TRUNCATE_ANY");
    const std::uint64_t now = is_done ? length : 70;
    expect(pool.seq_length(sequence, 0) == now, "after seq_truncate to {} the length is {}", length,
           pool.seq_length(sequence, 0));
    expect(pool.seq_reserve(sequence, next.size()), "seq_reserve after a truncate was refused");
    const Ids kept(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(now));
    loaded.expect_similar(fmt::format("70 tokens {} to {}, then 4 others",
                                      is_done ? "cut" : "refused to be cut", length),
                          loaded.go_on(sequence, next), loaded.control(kept, next));
    pool.seq_release(sequence);
  }
}

template <Memory kMemory>
void test_refused_truncate(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const Ids ids = tokens(13, 70);
  const Ids next = tokens(14, 4);
  const Logits wanted = loaded.control(ids, next);
  const vernal_sequence_id sequence = loaded.fed(ids);
  std::int32_t status = VERNAL_OK;
  try {
    if (!pool.seq_truncate(sequence, 71)) status = VERNAL_NOT_RESTORABLE;
  } catch (const Error& error) {
    status = error.code();
  }
  expect(status != VERNAL_OK, "seq_truncate of 70 tokens to 71: expected a refusal, found OK");
  for (const std::uint64_t length : {1U, 20U, 50U}) {
    if (pool.seq_restorable(sequence, length) == length) continue;
    expect(!pool.seq_truncate(sequence, length),
           "seq_truncate did what seq_restorable does not offer");
  }
  expect(pool.seq_length(sequence, 0) == 70, "a refused seq_truncate changed the length to {}",
         pool.seq_length(sequence, 0));
  loaded.expect_same("a sequence whose truncate was refused", loaded.go_on(sequence, next), wanted);
}

constexpr Test kTests[] = {
    VERNAL_STATE_TESTS("fork", "going on with one side of a fork leaves the other as it is",
                       test_fork),
    VERNAL_STATE_TESTS("fork_earlier", "forks at earlier positions iff TRUNCATE_ANY",
                       test_fork_earlier),
    VERNAL_STATE_TESTS("truncate", "a cut sequence goes on as if it had never been longer",
                       test_truncate),
    VERNAL_STATE_TESTS("refused_truncate", "a refused truncate changes nothing",
                       test_refused_truncate),
};

}  // namespace

std::span<const Test> state_position_tests() { return kTests; }

}  // namespace vernal::check
