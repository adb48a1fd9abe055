// Pages of windows: a sequence gives up those behind every later query, and whoever shares them
// keeps them.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "plain_memory.hpp"
#include "shared/state/kv_plan.hpp"
#include "shared/state/sequences.hpp"

namespace vernal::backend {
namespace {

constexpr std::size_t kFull = 0;
constexpr std::size_t kNarrow = 1;
constexpr std::size_t kWide = 2;
constexpr std::int64_t kWindows[] = {0, 10, 100};

/// A KV state of 8 numbers a head, with f16 64 * 16 * 2 bytes a page.
State kv_state(std::int64_t window) {
  State state;
  state.kind = VERNAL_STATE_KV;
  state.num_heads = 1;
  state.key_dim = state.value_dim = 8;
  state.window = window;
  return state;
}

Module window_module() {
  Module module;
  module.functions.resize(1);
  for (const std::int64_t window : {10, 0, 10, 100}) module.states.push_back(kv_state(window));
  return module;
}

/// What a page takes in each state, in a backend that stores f16.
std::vector<std::int64_t> page_bytes_of(const Module& module) {
  std::vector<std::int64_t> out;
  for (const State& s : module.states) {
    out.push_back(kPageTokens * s.num_heads * (s.key_dim + s.value_dim) * 2);
  }
  return out;
}

PlanOptions window_options() {
  PlanOptions options;
  options.context_length = 2048;
  options.max_tokens_per_step = 96;
  options.max_sequences = 3;
  options.max_checkpoints = 2;
  options.kv_tokens = 3 * 2048;
  return options;
}

class WindowSequences : public testing::TestWithParam<std::uint64_t> {
 protected:
  /// Commits tokens in steps of at most `step`, each token writing `mark` to its place in every
  /// group.
  void write(vernal_sequence_id id, std::uint64_t count, char mark, std::uint64_t step = 96) {
    sequences_.reserve(id, count);
    while (count > 0) {
      const std::uint64_t now = std::min(count, step);
      sequences_.begin_step(id, 0, now);
      const SequenceState& state = sequences_.sequence(id);
      for (std::uint64_t i = 0; i < now; ++i) {
        for (std::size_t g = 0; g < 3; ++g) *at(state, g, state.lengths[0] + i) = std::byte(mark);
      }
      sequences_.commit(id, 0, now);
      count -= now;
    }
  }

  std::byte* at(const SequenceState& state, std::size_t group, std::uint64_t position) const {
    const std::size_t page = position / kPageTokens;
    EXPECT_GE(page, state.pages[group].first);
    return pages_[group].data() + state.pages[group].ids[page] * pages_[group].page_bytes() +
           position % kPageTokens;
  }

  /// What the next token sees in a group.
  std::string seen(const SequenceState& state, std::size_t group) const {
    const auto window = static_cast<std::uint64_t>(kWindows[group]);
    const std::uint64_t length = state.lengths[0];
    std::string out;
    for (std::uint64_t i = window == 0 || length < window ? 0 : length - window; i < length; ++i) {
      out += static_cast<char>(*at(state, group, i));
    }
    return out;
  }
  void expect_text(const SequenceState& state, const std::string& text) const {
    ASSERT_EQ(state.lengths[0], text.size());
    for (std::size_t g = 0; g < 3; ++g) {
      const std::string found = seen(state, g);
      EXPECT_EQ(found, text.substr(text.size() - found.size())) << "group " << g;
    }
  }
  void expect_text(vernal_sequence_id id, const std::string& text) const {
    expect_text(sequences_.sequence(id), text);
  }

  std::int64_t num_used(std::size_t group) const {
    return pages_[group].num_pages() - pages_[group].num_free();
  }
  void expect_all_free() const {
    for (std::size_t g = 0; g < 3; ++g) EXPECT_EQ(num_used(g), 0) << "group " << g;
  }

  static std::int32_t code_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return VERNAL_OK;
  }

  static PlanOptions options() {
    PlanOptions out = window_options();
    out.rollback_depth = GetParam();
    return out;
  }

  const Module module_ = window_module();
  PlainMemory memory_;
  const KvPlan plan_{module_, options(), page_bytes_of(module_)};
  const StatePlan state_plan_{module_, options()};
  StateStore states_{memory_, state_plan_};
  std::vector<KvPages> pages_ = [this] {
    std::vector<KvPages> out;
    for (const KvGroup& g : plan_.groups()) out.emplace_back(memory_, g.num_pages, g.page_bytes);
    return out;
  }();
  Sequences sequences_{pages_, plan_.groups(), states_, {2048, 3, 2}};
};

TEST_P(WindowSequences, HavePagesOfTheirOwnInThePlan) {
  ASSERT_EQ(plan_.groups().size(), 3U);
  EXPECT_EQ(plan_.num_windows(), 2U);
  EXPECT_EQ(plan_.group(0), kNarrow);
  EXPECT_EQ(plan_.group(1), kFull);
  EXPECT_EQ(plan_.group(2), kNarrow);
  EXPECT_EQ(plan_.group(3), kWide);
  constexpr std::int64_t kPageBytes = 64 * 16 * 2;
  EXPECT_EQ(plan_.bytes(), 3 * 32 * kPageBytes);
  // Most pages that a window and a step of 96 touch, for 3 sequences, and a window alone, for 2
  // checkpoints. Ten tokens more to take back touch no page more here.
  EXPECT_EQ(plan_.groups()[kNarrow].num_pages, 3 * 3 + 2 * 2);
  EXPECT_EQ(plan_.groups()[kWide].num_pages, 3 * 5 + 2 * 3);
  EXPECT_EQ(plan_.window_bytes(), plan_.groups()[kNarrow].num_pages * 2 * kPageBytes +
                                      plan_.groups()[kWide].num_pages * kPageBytes);
  EXPECT_EQ(plan_.bytes_per_token(), 4 * kPageBytes / 64);
}

TEST_P(WindowSequences, HoldNoMoreThanTheWindowAndTheStep) {
  const auto a = sequences_.create();
  std::string text;
  for (const std::uint64_t step : {1U, 96U, 63U, 64U, 65U}) {
    for (int i = 0; i < 5; ++i) {
      const char mark = static_cast<char>('a' + i);
      write(a, step, mark, step);
      text += std::string(step, mark);
      expect_text(a, text);
      for (const std::size_t g : {kNarrow, kWide}) {
        const auto held = kWindows[g] + static_cast<std::int64_t>(GetParam());
        EXPECT_LE(num_used(g), (held + 62) / 64 + 1);
      }
    }
  }
  EXPECT_EQ(num_used(kFull), static_cast<std::int64_t>(text.size() + 63) / 64);
  sequences_.release(a);
  expect_all_free();
}

TEST_P(WindowSequences, CanBeCutAsFarAsTheWindowBeforeTheCutIsHeld) {
  const std::uint64_t depth = GetParam();
  for (const std::uint64_t length : {500U, 575U, 576U, 1000U}) {
    const std::uint64_t wide = (length - 100 - depth) / 64 * 64;
    const std::uint64_t narrow = (length - 10 - depth) / 64 * 64;
    const std::uint64_t least = std::max(wide + 100, narrow + 10);
    for (const std::uint64_t cut : {least, least - 1, length - depth, length - 1, length}) {
      const auto a = sequences_.create();
      write(a, length, 'a');
      const bool is_held = cut == length || cut >= least;
      EXPECT_EQ(sequences_.restorable(a, cut), is_held ? cut : 0) << length << " to " << cut;
      const auto code = code_of([&] { sequences_.truncate(a, cut); });
      EXPECT_EQ(code, is_held ? VERNAL_OK : VERNAL_NOT_RESTORABLE) << length << " to " << cut;
      const std::uint64_t now = is_held ? cut : length;
      expect_text(a, std::string(now, 'a'));
      write(a, 150, 'b');
      expect_text(a, std::string(now, 'a') + std::string(150, 'b'));
      sequences_.truncate(a, 0);
      expect_all_free();
      write(a, 300, 'c');
      expect_text(a, std::string(300, 'c'));
      sequences_.release(a);
    }
  }
}

TEST_P(WindowSequences, CanBeCutAnywhereBeforeAPageIsGivenUp) {
  const auto a = sequences_.create();
  write(a, 73, 'a');  // position 63 is still seen by a window of 10
  for (const std::uint64_t cut : {70U, 33U, 5U, 1U}) {
    EXPECT_EQ(sequences_.restorable(a, cut), cut);
    sequences_.truncate(a, cut);
    expect_text(a, std::string(cut, 'a'));
  }
}

TEST_P(WindowSequences, AreNotForkedAtAnEarlierPosition) {
  const auto a = sequences_.create();
  write(a, 400, 'a');
  EXPECT_EQ(code_of([&] { sequences_.fork(a, 0, 399); }), VERNAL_NOT_RESTORABLE);
  EXPECT_EQ(code_of([&] { sequences_.fork(a, 0, 401); }), VERNAL_NOT_RESTORABLE);
}

TEST_P(WindowSequences, KeepWhatTheirForksAndCheckpointsSee) {
  const auto parent = sequences_.create();
  write(parent, 300, 'p');
  const auto checkpoint = sequences_.create_checkpoint(parent);
  const auto child = sequences_.fork(parent, 0, 300);
  write(parent, 700, 'q');
  expect_text(child, std::string(300, 'p'));
  expect_text(sequences_.checkpoint(checkpoint), std::string(300, 'p'));
  write(child, 200, 'c');
  expect_text(child, std::string(300, 'p') + std::string(200, 'c'));
  expect_text(sequences_.checkpoint(checkpoint), std::string(300, 'p'));
  sequences_.restore(child, checkpoint);
  write(child, 30, 'd');
  expect_text(child, std::string(300, 'p') + std::string(30, 'd'));
  sequences_.release(parent);
  sequences_.release(child);
  const std::int64_t held = 5 * pages_[kFull].page_bytes() + 1 * pages_[kNarrow].page_bytes() +
                            2 * pages_[kWide].page_bytes();
  EXPECT_EQ(sequences_.page_bytes_held_alone(sequences_.checkpoint(checkpoint)), held)
      << "positions 0, 290 and 200 on";
  const auto late = sequences_.fork(0, checkpoint, 300);
  sequences_.release_checkpoint(checkpoint);
  write(late, 100, 'l');
  expect_text(late, std::string(300, 'p') + std::string(100, 'l'));
  sequences_.release(late);
  expect_all_free();
}

TEST_P(WindowSequences, AreAsManyAsThePlanSaysForksIncluded) {
  const auto a = sequences_.create();
  write(a, 64, 'a');
  const auto b = sequences_.fork(a, 0, 64);
  const auto c = sequences_.create();
  EXPECT_EQ(code_of([&] { sequences_.create(); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(code_of([&] { sequences_.fork(a, 0, 64); }), VERNAL_RESOURCE_EXHAUSTED);
  const std::uint64_t lengths[] = {70};
  EXPECT_EQ(code_of([&] { sequences_.create_filled(lengths); }), VERNAL_RESOURCE_EXHAUSTED);
  sequences_.release(c);
  const auto d = sequences_.create_filled(lengths);
  for (const auto id : {a, b, d}) sequences_.release(id);
  expect_all_free();
}

/// The plan's pages are enough for whatever its sequences and checkpoints do.
TEST_P(WindowSequences, NeverWaitForAPage) {
  std::mt19937_64 random(GetParam() + 1);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  struct Held {
    std::uint64_t id;
    std::string text;
  };
  std::vector<Held> live;
  std::vector<Held> kept;
  for (int i = 0; i < 4000 && !HasFailure(); ++i) {
    const std::uint64_t what = below(9);
    if (live.empty() || (what == 0 && live.size() < 3)) {
      live.push_back({sequences_.create(), ""});
      continue;
    }
    auto& [id, text] = live[below(live.size())];
    if (what == 1 && live.size() < 3) {
      const Held child{sequences_.fork(id, 0, text.size()), text};
      live.push_back(child);
    } else if (what == 2) {
      if (kept.size() == 2) {
        sequences_.release_checkpoint(kept[0].id);
        kept.erase(kept.begin());
      }
      kept.push_back({sequences_.create_checkpoint(id), text});
    } else if (what == 3 && !kept.empty()) {
      const Held& source = kept[below(kept.size())];
      sequences_.restore(id, source.id);
      text = source.text;
    } else if (what == 4) {
      const std::uint64_t cut = sequences_.restorable(id, below(text.size() + 1));
      sequences_.truncate(id, cut);
      text.resize(cut);
    } else {
      const std::uint64_t count = 1 + below(96);
      if (text.size() + count > 2048) {
        sequences_.truncate(id, 0);
        text.clear();
      }
      const char mark = static_cast<char>('a' + below(26));
      write(id, count, mark);
      text += std::string(count, mark);
    }
    for (const Held& h : live) expect_text(h.id, h.text);
    for (const Held& h : kept) expect_text(sequences_.checkpoint(h.id), h.text);
  }
  for (const Held& h : live) sequences_.release(h.id);
  for (const Held& h : kept) sequences_.release_checkpoint(h.id);
  expect_all_free();
}

INSTANTIATE_TEST_SUITE_P(RollbackDepths, WindowSequences, testing::Values(0U, 10U));

TEST(WindowPlan, LeavesAWindowThatSavesNothingWithTheOthers) {
  const Module module = window_module();
  PlanOptions options = window_options();
  options.max_tokens_per_step = 2048;  // a step may be as long as a sequence
  EXPECT_EQ(KvPlan(module, options, page_bytes_of(module)).num_windows(), 0U);
  EXPECT_EQ(KvPlan(module, options, page_bytes_of(module)).window_bytes(), 0);
  EXPECT_EQ(KvPlan(module, options, page_bytes_of(module)).bytes(), 4 * 3 * 32 * 64 * 16 * 2);
  options = window_options();
  options.max_checkpoints = 1000;  // each of which may hold a window
  EXPECT_EQ(KvPlan(module, options, page_bytes_of(module)).num_windows(), 0U);
  options = window_options();
  options.max_checkpoints = 35;  // 3 * 3 + 35 * 2 < 96 < 3 * 5 + 35 * 3
  EXPECT_EQ(KvPlan(module, options, page_bytes_of(module)).num_windows(), 1U);
}

TEST(WindowPlan, CountsPositionsWithoutBytesWhereEveryStateHasAWindow) {
  Module module;
  module.functions.resize(1);
  module.states = {kv_state(10)};
  const KvPlan plan(module, window_options(), page_bytes_of(module));
  EXPECT_EQ(plan.bytes(), 0);
  EXPECT_EQ(plan.groups()[kFull].num_pages, 96);
  EXPECT_EQ(plan.group(0), kNarrow);
}

}  // namespace
}  // namespace vernal::backend
