// Random programs of state calls on small models. One rule is checked (sdk/spec/state.md): a
// sequence is its tokens and the places where its chunks began, so its logits are, bit for bit,
// those of a new sequence with the same tokens and chunks. There are 10,000 programs, for both
// backends and four models. One model has windows, so that pages are freed.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "reference/fresh_sequences.hpp"
#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "support/snapshot_bytes.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

struct Setting {
  const char* backend;
  const char* model;
  std::uint64_t num_programs;
  std::size_t longest;                // tokens; more than a page of 64 if the backend is fast
  std::uint64_t max_tokens_per_step;  // so few that a window frees pages
};

ModelOptions options_of(const Setting& setting) {
  const bool is_reference = std::string_view(setting.backend) == "reference";
  ModelOptions options;
  options.backend = setting.backend;
  options.keys = options.values = is_reference ? "f32" : "f16";
  options.threads = options.backend == "cpu_avx2" ? 1 : 0;
  options.context_length = setting.longest + 92;
  options.max_tokens_per_step = setting.max_tokens_per_step;
  options.max_sequences = kMaxSequences;
  options.max_checkpoints = kMaxCheckpoints;
  options.rollback_depth = kRollbackDepth;
  return options;
}

Memory memory_of(ModelUnderTest& model) {
  const vernal_pool_info info = model.pool().info();
  Memory memory;
  memory.page = info.page_tokens;
  for (const State& state : model.module().states) {
    memory.is_hybrid |= state.kind != VERNAL_STATE_KV;
    const bool gives_up = state.window > 0 && (info.flags & VERNAL_POOL_TRUNCATE_ANY) == 0;
    if (gives_up) memory.window = static_cast<std::uint64_t>(state.window);
  }
  return memory;
}

/// One program: random calls, each of which is checked, until everything is released.
class StateProgram {
 public:
  StateProgram(ModelUnderTest& model, Oracle& oracle, const Setting& setting, std::uint64_t seed)
      : model_(model),
        oracle_(oracle),
        random_(seed),
        memory_(memory_of(model)),
        longest_(setting.longest),
        max_tokens_per_step_(setting.max_tokens_per_step) {
    cuts_anywhere_ = (pool().info().flags & VERNAL_POOL_TRUNCATE_ANY) != 0;
  }

  void run() {
    const std::uint64_t free_tokens = pool().info().free_tokens;
    create();
    if (memory_.window > 0) {  // without this, most programs end before a page is freed
      step(0);
      step(0);
    }
    for (std::size_t left = 4 + below(10); left > 0 && !testing::Test::HasFailure(); --left) call();
    while (!sequences_.empty()) release(0);
    while (!checkpoints_.empty()) release_checkpoint(0);
    expect(pool().info().free_tokens == free_tokens, "everything is free again");
  }

  /// The number of cuts that were refused so far, and of those that were done.
  std::uint64_t num_refused() const { return num_refused_; }
  std::uint64_t num_cut() const { return num_cut_; }

 private:
  template <class Id>
  struct Held {
    Id id;
    Text text;
  };

  plugin::BackendPool& pool() { return model_.pool(); }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  void expect(bool holds, const char* what) { EXPECT_TRUE(holds) << what << " after:" << log_; }
  template <class... Arguments>
  void note(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    log_ += "\n  " + fmt::format(text, std::forward<Arguments>(arguments)...);
  }
  template <class Call>
  void expect_code(std::int32_t code, Call&& call) {
    std::int32_t found = VERNAL_OK;
    try {
      call();
    } catch (const Error& error) {
      found = error.code();
    }
    expect(found == code, "an error that must come");
  }

  void call() {
    if (sequences_.empty()) return create();
    const std::size_t which = below(sequences_.size());
    switch (below(16)) {
      case 0:
        return create();
      case 1:
        return truncate(which);
      case 2:
        return truncate_to(which, sequences_[which].text.tokens.size() - below(2));
      case 3:
        return ask_restorable(which);
      case 4:
        return fork(which);
      case 5:
        return fork_checkpoint();
      case 6:
        return make_checkpoint(which);
      case 7:
        return restore(which);
      case 8:
        return take_snapshot(which);
      case 9:
        return import();
      case 10:
        return reserve(which);
      case 11:
        return release(which);
      case 12:
        return checkpoints_.empty() ? create() : release_checkpoint(below(checkpoints_.size()));
      default:
        return step(which);
    }
  }

  void add(vernal_sequence_id id, const Text& text) {
    expect(pool().seq_length(id, 0) == text.tokens.size(), "a new sequence has its length");
    sequences_.push_back({id, text});
  }

  void create() {
    if (sequences_.size() == kMaxSequences) return;
    note("create");
    const auto id = pool().seq_create();
    expect(id.has_value(), "there is room for a sequence");
    if (id) add(*id, {});
  }

  /// The next tokens of one sequence, or of all of them.
  void step(std::size_t which) {
    const bool all = below(3) == 0;
    std::size_t budget = max_tokens_per_step_;
    std::vector<std::size_t> members;
    std::vector<Part> parts;
    for (std::size_t i = all ? 0 : which; i < (all ? sequences_.size() : which + 1); ++i) {
      const std::size_t room = longest_ - sequences_[i].text.tokens.size();
      // With a window, pages are freed only after many tokens.
      const bool is_long = memory_.window > 0 ? below(3) > 0 : below(30) == 0;
      const std::size_t wanted = is_long ? 1 + below(max_tokens_per_step_) : 1 + below(3);
      const std::size_t count = std::min({wanted, room, budget});
      if (count == 0) continue;
      budget -= count;
      note("step {} by {}", i, count);
      expect(pool().seq_reserve(sequences_[i].id, count), "there is room for tokens");
      members.push_back(i);
      parts.push_back({sequences_[i].id, Tokens(count, 20 + static_cast<int>(below(2)))});
    }
    if (parts.empty()) return;
    const auto logits = model_.step(parts);
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto& [id, text] = sequences_[members[i]];
      text.append(parts[i].tokens, memory_);
      expect(pool().seq_length(id, 0) == text.tokens.size(), "a step adds its tokens");
      expect(sum_of(logits[i]) == oracle_.sum(text), "logits are those of a fresh sequence");
    }
  }

  void truncate(std::size_t which) {
    truncate_to(which, below(sequences_[which].text.tokens.size() + 2));
  }

  void truncate_to(std::size_t which, std::size_t length) {
    auto& [id, text] = sequences_[which];
    if (length > text.tokens.size()) {
      note("truncate {} to {}, behind its end", which, length);
      expect_code(VERNAL_INVALID_ARGUMENT,
                  [&] { (void)pool().seq_truncate(id, text.tokens.size() + 1); });
      return;
    }
    note("truncate {} from {} to {}", which, text.tokens.size(), length);
    const bool is_allowed = text.may_cut(length, memory_);
    expect(pool().seq_truncate(id, length) == is_allowed, "truncates as far as it may");
    if (is_allowed) text.cut(length);
    ++(is_allowed ? num_cut_ : num_refused_);
    expect(pool().seq_length(id, 0) == text.tokens.size(), "has the length of the truncate");
  }

  void ask_restorable(std::size_t which) {
    const auto& [id, text] = sequences_[which];
    const std::size_t length = below(text.tokens.size() + 1);
    note("restorable {} at {}", which, length);
    const std::size_t expected = text.may_cut(length, memory_) ? length : 0;
    expect(pool().seq_restorable(id, length) == expected, "names the nearest position");
  }

  void fork_from(vernal_sequence_id source, vernal_checkpoint_id checkpoint, const Text& text) {
    if (sequences_.size() == kMaxSequences) return;
    const std::size_t length = below(3) == 0 ? below(text.tokens.size() + 1) : text.tokens.size();
    note("fork of {} at {}", text.tokens.size(), length);
    const auto id = pool().seq_fork(source, checkpoint, length);
    const bool is_allowed = cuts_anywhere_ || length == text.tokens.size();
    expect(id.has_value() == is_allowed, "forks where it may");
    if (!id) return;
    Text child = text;
    child.cut(length);
    add(*id, child.settled(memory_));
  }
  void fork(std::size_t which) {
    const Text text = sequences_[which].text;
    fork_from(sequences_[which].id, 0, text);
  }
  void fork_checkpoint() {
    if (checkpoints_.empty()) return;
    const auto& source = checkpoints_[below(checkpoints_.size())];
    fork_from(0, source.id, source.text);
  }

  void make_checkpoint(std::size_t which) {
    const Text& text = sequences_[which].text;
    note("checkpoint of {} at {}", which, text.tokens.size());
    const auto id = pool().checkpoint_create(sequences_[which].id);
    expect(id.has_value() == (checkpoints_.size() < kMaxCheckpoints), "as many as planned");
    if (!id) return;
    expect(pool().checkpoint_info(*id).position == text.tokens.size(), "is at its position");
    checkpoints_.push_back({*id, text.settled(memory_)});
  }

  void restore(std::size_t which) {
    if (checkpoints_.empty()) return;
    const auto& source = checkpoints_[below(checkpoints_.size())];
    note("restore {} to {}", which, source.text.tokens.size());
    pool().seq_restore(sequences_[which].id, source.id);
    sequences_[which].text = source.text;
    expect(pool().seq_length(sequences_[which].id, 0) == source.text.tokens.size(),
           "is at the checkpoint");
  }

  void take_snapshot(std::size_t which) {
    const bool of_checkpoint = !checkpoints_.empty() && below(2) == 0;
    note("export of a {}", of_checkpoint ? "checkpoint" : "sequence");
    if (of_checkpoint) {
      const auto& source = checkpoints_[below(checkpoints_.size())];
      snapshot_ = {export_bytes(pool(), 0, source.id), source.text};
    } else {
      snapshot_ = {export_bytes(pool(), sequences_[which].id, 0),
                   sequences_[which].text.settled(memory_)};
    }
  }

  void import() {
    if (snapshot_.first.empty() || sequences_.size() == kMaxSequences) return;
    note("import of {}", snapshot_.second.tokens.size());
    add(import_bytes(pool(), snapshot_.first), snapshot_.second);
  }

  void reserve(std::size_t which) {
    const vernal_sequence_id id = sequences_[which].id;
    const std::size_t room = longest_ - sequences_[which].text.tokens.size();
    note("reserve {} and too much", room);
    expect(pool().seq_reserve(id, room), "there is room up to the longest");
    expect(!pool().seq_reserve(id, 10'000), "not beyond the context length");
    expect(pool().seq_length(id, 0) == sequences_[which].text.tokens.size(), "adds no tokens");
  }

  void release(std::size_t which) {
    const vernal_sequence_id id = sequences_[which].id;
    note("release {}", which);
    pool().seq_release(id);
    sequences_.erase(sequences_.begin() + static_cast<std::ptrdiff_t>(which));
    expect_code(VERNAL_NOT_FOUND, [&] { pool().seq_release(id); });
  }
  void release_checkpoint(std::size_t which) {
    const vernal_checkpoint_id id = checkpoints_[which].id;
    note("release checkpoint {}", which);
    pool().checkpoint_release(id);
    checkpoints_.erase(checkpoints_.begin() + static_cast<std::ptrdiff_t>(which));
    expect_code(VERNAL_NOT_FOUND, [&] { pool().checkpoint_release(id); });
  }

  ModelUnderTest& model_;
  Oracle& oracle_;
  std::mt19937_64 random_;
  const Memory memory_;
  const std::size_t longest_;
  const std::size_t max_tokens_per_step_;
  bool cuts_anywhere_ = false;
  std::uint64_t num_refused_ = 0;
  std::uint64_t num_cut_ = 0;
  std::vector<Held<vernal_sequence_id>> sequences_;
  std::vector<Held<vernal_checkpoint_id>> checkpoints_;
  std::pair<std::string, Text> snapshot_;
  std::string log_;
};

class StatePrograms : public testing::TestWithParam<Setting> {};

TEST_P(StatePrograms, AnswerLikeFreshSequences) {
  const Setting& setting = GetParam();
  const auto folder = golden_folder(setting.model);
  if (folder.empty()) GTEST_SKIP() << setting.model << ".gguf is not here";
  const auto file = folder / (std::string(setting.model) + ".gguf");
  ModelUnderTest model(file, options_of(setting));
  ModelUnderTest fresh(file, options_of(setting));
  Oracle oracle(fresh);
  std::uint64_t num_refused = 0;
  std::uint64_t num_cut = 0;
  for (std::uint64_t seed = 1; seed <= setting.num_programs && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("program {}", seed));
    StateProgram program(model, oracle, setting, seed);
    program.run();
    num_refused += program.num_refused();
    num_cut += program.num_cut();
  }
  const Memory memory = memory_of(model);
  const bool may_refuse = memory.is_hybrid || memory.window > 0;
  EXPECT_EQ(num_refused > setting.num_programs / 300, may_refuse) << num_refused << " refusals";
  EXPECT_GT(num_cut, setting.num_programs / 4);
}

INSTANTIATE_TEST_SUITE_P(Models, StatePrograms,
                         testing::ValuesIn(under_test<Setting>({
                             {"reference", "tiny-llama", 250, 8, 62},
                             {"reference", "tiny-gemma3", 50, 28, 20},
                             {"reference", "tiny-qwen35-iq4_ks", 200, 8, 62},
                             {"reference", "tiny-qwen3moe", 200, 8, 62},
                             {"cpu_avx2", "tiny-llama", 2600, 100, 248},
                             {"cpu_avx2", "tiny-gemma3", 1700, 100, 248},
                             {"cpu_avx2", "tiny-gemma3", 400, 300, 90},
                             {"cpu_avx2", "tiny-qwen35-iq4_ks", 2300, 100, 248},
                             {"cpu_avx2", "tiny-qwen3moe", 2300, 100, 248},
                             {"cuda_sm86_emu", "tiny-llama", 60, 100, 248},
                             {"cuda_sm86_emu", "tiny-gemma3", 50, 28, 20},
                             {"cuda_sm86_emu", "tiny-qwen35-iq4_ks", 200, 28, 62},
                             {"cuda_sm86_emu", "tiny-qwen3moe", 40, 80, 248},
                             {"cuda_sm86", "tiny-llama-q4_k_m", 600, 100, 248},
                             {"cuda_sm86", "tiny-qwen35-iq4_ks", 600, 100, 248},
                         })));

}  // namespace
}  // namespace vernal::test
