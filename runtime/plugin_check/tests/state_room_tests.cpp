// Group state, part five: room for tokens. What was reserved is there, a refused reserve takes
// nothing, and a sequence that is cut gives back what it does not hold.
#include <algorithm>
#include <functional>
#include <optional>

#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"

namespace vernal::check {
namespace {

/// Few tokens of room beside what the sequences ask for.
PlanOptions narrow_plan() {
  PlanOptions plan = small_plan();
  plan.kv_tokens = 512;
  return plan;
}

/// Takes the next tokens of a sequence within the room it has reserved.
Logits step_in_room(Loaded& loaded, vernal_sequence_id sequence, const Ids& ids) {
  try {
    return loaded.go_on(sequence, ids);
  } catch (const Error& error) {
    throw Finding(fmt::format("a step within reserved room: expected OK, found {}: {}",
                              status_name(error.code()), error.what()));
  }
}

// ---- reserved room is there ---------------------------------------------------------------------

/// Sequences with room for kRoom tokens, and forks of the first, until there is no more.
std::vector<vernal_sequence_id> fill_room(Loaded& loaded, const Ids& before) {
  plugin::BackendPool& pool = loaded.pool();
  std::vector<vernal_sequence_id> granted;
  const auto keep_if_granted = [&](std::optional<vernal_sequence_id> sequence) {
    if (!sequence) return false;
    const std::uint64_t length = pool.seq_length(*sequence, 0);
    if (pool.seq_reserve(*sequence, kRoom - length)) {
      granted.push_back(*sequence);
      return true;
    }
    pool.seq_release(*sequence);
    return false;
  };
  expect(keep_if_granted(pool.seq_create()), "the first sequence of a pool got no room");
  step_in_room(loaded, granted[0], before);
  // A fork shares its source's last page until one of them writes: that copy is part of its room.
  keep_if_granted(pool.seq_fork(granted[0], 0, before.size()));
  for (int i = 0; i < 64 && keep_if_granted(pool.seq_create()); ++i) {
  }
  return granted;
}

template <Memory kMemory>
void test_reserved_room(const Options& options) {
  constexpr std::uint64_t kChunk = 13;
  Loaded loaded(options, kMemory, narrow_plan());
  const Ids ids = tokens(51, kRoom);
  const Ids before(ids.begin(), ids.begin() + 70);
  const std::vector<vernal_sequence_id> granted = fill_room(loaded, before);
  bool is_any_left = true;
  while (is_any_left) {
    is_any_left = false;
    for (const vernal_sequence_id sequence : granted) {
      const std::uint64_t length = loaded.pool().seq_length(sequence, 0);
      const std::uint64_t count = std::min(kChunk, kRoom - length);
      if (count == 0) continue;
      is_any_left = true;
      const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(length);
      step_in_room(loaded, sequence, {begin, begin + static_cast<std::ptrdiff_t>(count)});
    }
  }
}

// ---- a refused reserve --------------------------------------------------------------------------

template <Memory kMemory>
void test_refused_reserve(const Options& options) {
  Loaded loaded(options, kMemory, narrow_plan());
  plugin::BackendPool& pool = loaded.pool();
  const Ids next = tokens(52, 5);
  const vernal_sequence_id first = loaded.fed(tokens(53, 40));
  const auto expect_refused = [&](const char* what, vernal_sequence_id sequence,
                                  std::uint64_t num_tokens) {
    const std::uint64_t free = loaded.info().free_tokens;
    if (pool.seq_reserve(sequence, num_tokens)) return false;
    expect(loaded.info().free_tokens == free,
           "a refused seq_reserve of {} tokens for {} took {} tokens of the pool's room",
           num_tokens, what, free - loaded.info().free_tokens);
    return true;
  };
  expect(expect_refused("a sequence beyond its context", first, small_plan().context_length),
         "seq_reserve beyond the context length: expected RESOURCE_EXHAUSTED, found OK");
  for (int i = 0; i < 64; ++i) {
    const auto sequence = pool.seq_create();
    if (!sequence) break;
    if (!expect_refused("a new sequence", *sequence, kRoom)) continue;
    const std::uint64_t free = loaded.info().free_tokens;
    expect(free == 0 || pool.seq_reserve(*sequence, std::min(free, kRoom)),
           "free_tokens is {}, and a seq_reserve of as many is refused", free);
    break;
  }
  step_in_room(loaded, first, next);
}

// ---- room given back ----------------------------------------------------------------------------

/// What ends a reservation, and how many tokens the sequence holds after it.
struct GivingBack {
  const char* what;
  std::uint64_t length;
  std::function<void(plugin::BackendPool&, vernal_sequence_id, vernal_checkpoint_id)> end;
};

constexpr std::uint64_t kFed = 70;  // tokens of a sequence that has room for kRoom

template <Memory kMemory>
void test_given_back(const Options& options) {
  Loaded loaded(options, kMemory);
  const auto cut_to = [](std::uint64_t length) {
    return [length](plugin::BackendPool& pool, vernal_sequence_id sequence, vernal_checkpoint_id) {
      expect(pool.seq_truncate(sequence, length), "seq_truncate of {} tokens to {} was refused",
             kFed, length);
    };
  };
  const auto restore = [](plugin::BackendPool& pool, vernal_sequence_id sequence,
                          vernal_checkpoint_id checkpoint) {
    pool.seq_restore(sequence, checkpoint);
  };
  const std::uint64_t page = std::max<std::uint64_t>(loaded.info().page_tokens, 1);
  for (const GivingBack& giving :
       {GivingBack{"seq_truncate by 4", kFed - 4, cut_to(kFed - 4)},
        GivingBack{"seq_truncate to its length", kFed, cut_to(kFed)},
        GivingBack{"seq_truncate to 0", 0, cut_to(0)}, GivingBack{"seq_restore", kFed, restore}}) {
    const std::uint64_t before = loaded.info().free_tokens;
    const vernal_sequence_id sequence = loaded.fed(tokens(54, kFed));
    const auto checkpoint = loaded.pool().checkpoint_create(sequence);
    expect(checkpoint.has_value(), "checkpoint_create was refused");
    giving.end(loaded.pool(), sequence, *checkpoint);
    loaded.pool().checkpoint_release(*checkpoint);
    // One page more may be kept: the last one, which the checkpoint shared.
    const std::uint64_t held = (giving.length + page - 1) / page * page + page;
    const std::uint64_t free = loaded.info().free_tokens;
    expect(free + held >= before,
           "{} leaves a sequence of {} tokens that had room for {}: expected at least {} free "
           "tokens, found {}: the reservation stayed",
           giving.what, giving.length, kRoom, before - held, free);
    loaded.pool().seq_release(sequence);
    expect(loaded.info().free_tokens == before, "after seq_release {} of {} tokens are free",
           loaded.info().free_tokens, before);
  }
}

constexpr Test kTests[] = {
    VERNAL_STATE_TESTS("reserved_room", "a step within reserved room never lacks any",
                       test_reserved_room),
    VERNAL_STATE_TESTS("refused_reserve", "a refused reserve takes no room", test_refused_reserve),
    VERNAL_STATE_TESTS("given_back", "truncate and restore end a reservation", test_given_back),
};

}  // namespace

std::span<const Test> state_room_tests() { return kTests; }

}  // namespace vernal::check
