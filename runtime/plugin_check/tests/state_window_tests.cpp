// Group state, part four: sequences that are much longer than the window of their model, whose
// pages behind it may be given up, and how many sequences there may be.
#include <algorithm>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"

namespace vernal::check {
namespace {

constexpr std::uint64_t kDepth = 4;  // rollback_depth of the plan

/// Steps are short beside the context, so that giving pages up is worth it.
PlanOptions long_plan() {
  PlanOptions plan = small_plan();
  plan.context_length = 1024;
  plan.max_tokens_per_step = 64;
  plan.max_rows = 64;
  plan.kv_tokens = 4 * 1024;
  plan.rollback_depth = kDepth;
  return plan;
}

/// A tiny model with windows, with sequences of some pages beyond one.
class Windows : public Loaded {
 public:
  explicit Windows(const Options& options, Memory memory = Memory::kWindow)
      : Loaded(options, memory, long_plan()) {}

  /// Tokens that leave a few pages behind the windows, and a part of one before them.
  std::uint64_t length() {
    return std::clamp<std::uint64_t>(3 * info().page_tokens + 4 * kWindow + 30, 180, 900);
  }
  /// A sequence that holds `ids`, with room for 100 more.
  vernal_sequence_id grown(const Ids& ids) {
    const vernal_sequence_id sequence = session().start(ids.size() + 100);
    feed(session(), sequence, ids, 0);
    return sequence;
  }
  Logits wanted(const Ids& before, const Ids& next) {
    const vernal_sequence_id sequence = grown(before);
    Logits logits = go_on(sequence, next);
    pool().seq_release(sequence);
    return logits;
  }
};

template <Memory kMemory>
void test_far(const Options& options) {
  Windows loaded(options, kMemory);
  const Ids ids = tokens(41, loaded.length());
  const auto oracle = make_oracle(loaded.made(), long_plan());
  const vernal_sequence_id reference = oracle->start(ids.size());
  const vernal_sequence_id sequence = loaded.session().start(ids.size());
  const std::uint32_t element = loaded.session().plan().info().activation_element;
  const double bound = element == 0 ? 1e-3 : 1e-2;
  // In chunks, then one by one until a page border is passed.
  const auto prompt = static_cast<std::ptrdiff_t>(ids.size() - ids.size() / 4);
  const Ids first(ids.begin(), ids.begin() + prompt);
  const Ids rest(ids.begin() + prompt, ids.end());
  expect_close(fmt::format("{} tokens in chunks", first.size()),
               feed(loaded.session(), sequence, first, 0), feed(*oracle, reference, first, 0),
               kVocabulary, bound);
  expect_close(fmt::format("tokens {} to {} one by one", prompt, ids.size()),
               feed(loaded.session(), sequence, rest, first.size(), 1),
               feed(*oracle, reference, rest, first.size(), 1), kVocabulary, bound);
}

void test_cut(const Options& options) {
  Windows loaded(options);
  plugin::BackendPool& pool = loaded.pool();
  const std::uint64_t length = loaded.length();
  const Ids ids = tokens(42, length);
  const Ids next = tokens(43, 12);
  const bool cuts_anywhere = loaded.session().has_flag(VERNAL_POOL_TRUNCATE_ANY);
  const Logits unchanged = loaded.wanted(ids, next);
  for (const std::uint64_t back : {1U, 4U, 5U, 8U, 9U, 13U, 30U, 70U, 150U}) {
    if (back >= length) continue;
    const std::uint64_t position = length - back;
    const vernal_sequence_id sequence = loaded.grown(ids);
    const std::uint64_t offered = pool.seq_restorable(sequence, position);
    const bool is_done = pool.seq_truncate(sequence, position);
    expect(is_done == (offered == position),
           "seq_restorable({}) of {} tokens says {}, seq_truncate was {}", position, length,
           offered, is_done ? "done" : "refused");
    expect(is_done || (back > kDepth && !cuts_anywhere),
           "seq_truncate of {} tokens to {} was refused: {}", length, position,
           back <= kDepth ? "that is within rollback_depth = 4" : "the pool says TRUNCATE_ANY");
    expect(pool.seq_reserve(sequence, next.size()), "seq_reserve after a truncate was refused");
    const Logits found = loaded.go_on(sequence, next);
    if (is_done) {
      const Ids kept(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(position));
      loaded.expect_similar(
          fmt::format("{} tokens cut by {}, window {}, then 12 others", length, back, kWindow),
          found, loaded.wanted(kept, next));
    } else {
      loaded.expect_same("a sequence whose truncate was refused", found, unchanged);
    }
    pool.seq_release(sequence);
  }
}

void test_held(const Options& options) {
  Windows loaded(options);
  plugin::BackendPool& pool = loaded.pool();
  const Ids before = tokens(44, 50);
  const Ids other = tokens(45, loaded.length());
  const Ids next = tokens(46, 12);
  const Logits wanted = loaded.wanted(before, next);
  const vernal_sequence_id source = loaded.session().start(before.size() + other.size());
  feed(loaded.session(), source, before, 0);
  const auto checkpoint = pool.checkpoint_create(source);
  const auto child = pool.seq_fork(source, 0, before.size());
  expect(checkpoint.has_value() && child.has_value(),
         "checkpoint_create or seq_fork at the length of the source was refused");
  feed(loaded.session(), source, other, before.size());
  expect(pool.seq_reserve(*child, next.size()), "seq_reserve of a fork was refused");
  loaded.expect_same(fmt::format("a fork whose source went on by {} tokens", other.size()),
                     loaded.go_on(*child, next), wanted);
  pool.seq_restore(source, *checkpoint);
  expect(pool.seq_reserve(source, next.size()), "seq_reserve after a restore was refused");
  loaded.expect_same(fmt::format("a checkpoint whose source went on by {} tokens", other.size()),
                     loaded.go_on(source, next), wanted);
}

void test_all_long(const Options& options) {
  Windows loaded(options);
  const PlanOptions plan = long_plan();
  std::vector<vernal_sequence_id> sequences;
  for (std::uint64_t i = 0; i < plan.max_sequences; ++i) {
    sequences.push_back(loaded.session().start(plan.context_length));
  }
  const Ids ids = tokens(47, loaded.length());
  Logits last;
  for (const vernal_sequence_id sequence : sequences) {
    Logits found = feed(loaded.session(), sequence, ids, 0);
    if (!last.empty()) loaded.expect_same("the same tokens in another sequence", found, last);
    last = std::move(found);
  }
}

template <Memory kMemory>
void test_max_sequences(const Options& options) {
  Loaded loaded(options, kMemory);
  plugin::BackendPool& pool = loaded.pool();
  const std::uint64_t most = small_plan().max_sequences;
  for (int round = 0; round < 2; ++round) {
    std::vector<vernal_sequence_id> sequences;
    for (std::uint64_t i = 0; i < most; ++i) {
      const auto sequence = pool.seq_create();
      expect(sequence.has_value(), "seq_create of sequence {} of a plan of {} was refused", i + 1,
             most);
      sequences.push_back(*sequence);
    }
    expect(!pool.seq_create().has_value(),
           "seq_create of sequence {} of a plan of {}: expected RESOURCE_EXHAUSTED, found OK",
           most + 1, most);
    for (const vernal_sequence_id sequence : sequences) pool.seq_release(sequence);
  }
}

constexpr Test kTests[] = {
    {"state.window_far", "a sequence goes on right far behind its window",
     test_far<Memory::kWindow>, kBackends, 0, 60},
    {"state.mixed_far", "a window frees nothing that other layers see", test_far<Memory::kMixed>,
     kBackends, 0, 60},
    {"state.window_cut", "it is cut iff what the window before the cut sees is held", test_cut,
     kBackends, 0, 60},
    {"state.window_held", "forks and checkpoints keep what their window sees", test_held, kBackends,
     0, 60},
    {"state.window_room", "the plan's sequences have room for their whole context", test_all_long,
     kBackends, 0, 60},
    VERNAL_STATE_TESTS("max_sequences", "as many sequences as the plan says, and no more",
                       test_max_sequences),
};

}  // namespace

std::span<const Test> state_window_tests() { return kTests; }

}  // namespace vernal::check
