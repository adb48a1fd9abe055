// A model with windows, in sequences much longer than a window: pages that were freed are not
// needed, and the held memory stays bounded (sdk/spec/state.md: truncate, windows). tiny-gemma3 has
// a window of 16 in five of six layers.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/made_up_tokens.hpp"
#include "support/model_under_test.hpp"
#include "support/snapshot_bytes.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

constexpr std::uint64_t kWindow = 16;

ModelOptions options_of(const std::string& backend) {
  ModelOptions options;
  options.backend = backend;
  options.keys = options.values = backend == "reference" ? "f32" : "f16";
  options.threads = backend == "cpu_avx2" ? 2 : 0;
  options.context_length = 1024;
  options.max_sequences = 3;
  options.max_tokens_per_step = 96;
  options.max_checkpoints = 2;
  return options;
}

/// With these options cpu_avx2 frees no pages, because a step may be as long as a sequence.
ModelOptions keeping(ModelOptions options) {
  options.max_tokens_per_step = options.context_length;
  return options;
}

std::unique_ptr<ModelUnderTest> open(const ModelOptions& options) {
  return std::make_unique<ModelUnderTest>(golden_folder("tiny-gemma3") / "tiny-gemma3.gguf",
                                          options);
}

bool cuts_anywhere(ModelUnderTest& model) {
  return (model.pool().info().flags & VERNAL_POOL_TRUNCATE_ANY) != 0;
}

struct Case {
  const char* backend;
  const char* format;  // of keys and values
};

class FarBeyondTheWindow : public testing::TestWithParam<Case> {};

TEST_P(FarBeyondTheWindow, TheBitsAreThoseOfAPoolThatGivesNothingUp) {
  ModelOptions options = options_of("cpu_avx2");
  options.keys = options.values = GetParam().format;
  options.rotate = true;
  const auto model = open(options);
  const auto whole = open(keeping(options));
  ASSERT_FALSE(cuts_anywhere(*model));
  ASSERT_TRUE(cuts_anywhere(*whole));
  const Tokens tokens = tokens_of(1, 900);
  const auto prompt = std::span(tokens).first(800);
  const auto a = model->sequence(900);
  const auto b = whole->sequence(900);
  EXPECT_TRUE(same_bits(model->feed(a, prompt, 64), whole->feed(b, prompt, 64)));
  for (std::size_t i = prompt.size(); i < tokens.size(); ++i) {
    ASSERT_TRUE(same_bits(model->step({{a, {tokens[i]}}})[0], whole->step({{b, {tokens[i]}}})[0]))
        << "token " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FarBeyondTheWindow,
                         testing::Values(Case{"cpu_avx2", "f16"}, Case{"cpu_avx2", "q8_0"}),
                         [](const auto& info) { return std::string(info.param.format); });

TEST(Windows, AgreeWithTheReferenceBackendFarBeyondThem) {
  const auto model = open(options_of("cpu_avx2"));
  const auto reference = open(options_of("reference"));
  const Tokens tokens = tokens_of(2, 200);
  const auto found = model->feed(model->sequence(200), tokens, 64);
  const auto expected = reference->feed(reference->sequence(200), tokens, 64);
  EXPECT_LE(nmse(found, expected), 1e-3);
}

TEST(Windows, HoldAFewPagesHoweverLongTheSequence) {
  const auto model = open(options_of("cpu_avx2"));
  plugin::BackendPool& pool = model->pool();
  /// The bytes of a page of 64 positions, in the layers without a window and in those with one.
  const auto held = [&](std::size_t length) {
    const auto sequence = model->sequence(length);
    model->feed(sequence, tokens_of(3, length), 64);
    const auto checkpoint = *pool.checkpoint_create(sequence);
    pool.seq_release(sequence);
    const std::uint64_t bytes = pool.checkpoint_info(checkpoint).device_bytes;
    pool.checkpoint_release(checkpoint);
    return bytes;
  };
  const std::uint64_t both = held(64);
  EXPECT_EQ(both, 64 * pool.info().bytes_per_token);
  const std::uint64_t full = held(128 + 64) - held(128);
  EXPECT_LT(full, both / 2) << "a page more is one of the layers that see all";
  for (const std::size_t length : {256U, 448U, 960U}) {
    EXPECT_EQ(held(length),
              length / 64 * full + both - full);  // the window begins in the last page
  }
  EXPECT_EQ(held(70), 2 * both) << "the window begins in the page before";
}

TEST(Windows, ArePricedByWhatTheyHold) {
  const auto model = open(options_of("cpu_avx2"));
  const auto bytes_of = [](const std::vector<MemoryRow>& rows, std::string_view object) {
    std::uint64_t bytes = 0;
    for (const MemoryRow& row : rows) bytes += row.object == object ? row.bytes : 0;
    return bytes;
  };
  const auto plan = model->plan().rows();
  const auto whole = open(keeping(options_of("cpu_avx2")))->plan().rows();
  const std::uint64_t all = bytes_of(whole, "kv cache");
  EXPECT_EQ(all, 3 * 1024 * model->pool().info().bytes_per_token);
  EXPECT_EQ(bytes_of(whole, "kv windows"), 0U);
  const std::uint64_t page = (all - bytes_of(plan, "kv cache")) / (3 * 1024 / 64);
  // A window and a step together touch 3 pages, in each of 3 sequences. A window touches 2 pages,
  // in each of 2 checkpoints.
  EXPECT_EQ(bytes_of(plan, "kv windows"), (3 * 3 + 2 * 2) * page);
  for (const MemoryRow& row : model->program().memory_report()) {
    if (!row.object.starts_with("kv")) continue;
    EXPECT_EQ(row.bytes, bytes_of(plan, row.object)) << row.object;
  }
}

TEST(Windows, ThreeLongSequencesAndTwoCheckpointsFitAtOnce) {
  const auto model = open(options_of("cpu_avx2"));
  const auto whole = open(keeping(options_of("cpu_avx2")));
  std::vector<vernal_sequence_id> sequences;
  std::vector<Tokens> texts;
  for (std::uint32_t i = 0; i < 3; ++i) {
    sequences.push_back(model->sequence(1000));
    texts.push_back(tokens_of(4 + i, 1000));
  }
  std::vector<vernal_checkpoint_id> checkpoints;
  for (std::size_t done = 0; done < 1000; done += 20) {
    std::vector<Part> parts;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto begin = texts[i].begin() + static_cast<std::ptrdiff_t>(done);
      parts.push_back({sequences[i], {begin, begin + 20}});
    }
    model->step(parts);
    if (done == 100 || done == 520) {
      checkpoints.push_back(model->pool().checkpoint_create(sequences[0]).value());
    }
  }
  for (const auto checkpoint : checkpoints) {
    const std::uint64_t position = model->pool().checkpoint_info(checkpoint).position;
    model->pool().seq_restore(sequences[1], checkpoint);
    ASSERT_TRUE(model->pool().seq_reserve(sequences[1], 20));
    const auto fresh = whole->sequence(1000);
    whole->feed(fresh, std::span(texts[0]).first(position), 20);
    const Tokens next = tokens_of(9, 20);
    EXPECT_TRUE(same_bits(model->step({{sequences[1], next}})[0], whole->step({{fresh, next}})[0]));
    whole->pool().seq_release(fresh);
  }
  EXPECT_EQ(model->pool().seq_create(), std::nullopt) << "the plan has windows for three";
}

class WindowCuts : public testing::TestWithParam<std::string> {};

/// For every row of the table: a cut to n is done if and only if the pages of [n - window, n) are
/// held.
TEST_P(WindowCuts, AreDoneIffWhatTheNextTokenSeesIsHeld) {
  for (const std::uint64_t depth : {0U, 5U}) {
    ModelOptions options = options_of(GetParam());
    options.rollback_depth = depth;
    const auto model = open(options);
    plugin::BackendPool& pool = model->pool();
    const std::uint64_t page = pool.info().page_tokens;
    const std::uint64_t length = 3 * page + 50;
    const Tokens tokens = tokens_of(5, length);
    const std::uint64_t first = (length - kWindow - depth) / page * page;
    for (std::uint64_t n = 0; n <= length; n += n + 30 < length && n > 0 ? 7 : 1) {
      const auto sequence = model->sequence(length + 3);
      model->feed(sequence, tokens, 64);
      const bool is_held = n == 0 || n == length || (n >= kWindow && n - kWindow >= first);
      EXPECT_EQ(pool.seq_restorable(sequence, n), is_held ? n : 0) << n;
      EXPECT_EQ(pool.seq_truncate(sequence, n), is_held) << n;
      EXPECT_EQ(pool.seq_length(sequence, 0), is_held ? n : length);
      pool.seq_release(sequence);
      EXPECT_TRUE(is_held || length - n > depth) << n << " is within rollback_depth";
    }
  }
}

TEST_P(WindowCuts, ThatAreRefusedChangeNothing) {
  const auto model = open(options_of(GetParam()));
  const Tokens tokens = tokens_of(6, 150);
  const auto next = std::span(tokens).last(10);
  const auto a = model->sequence(150);
  const auto b = model->sequence(150);
  model->feed(a, std::span(tokens).first(140), 64);
  model->feed(b, std::span(tokens).first(140), 64);
  EXPECT_FALSE(model->pool().seq_truncate(b, 20));
  EXPECT_EQ(model->pool().seq_length(b, 0), 140U);
  EXPECT_TRUE(same_bits(model->feed(a, next, 64), model->feed(b, next, 64)));
}

TEST_P(WindowCuts, ForksAreMadeAtTheEndOnly) {
  const auto model = open(options_of(GetParam()));
  const auto a = model->sequence(150);
  model->feed(a, tokens_of(6, 140), 64);
  EXPECT_FALSE(model->pool().seq_fork(a, 0, 139).has_value());
  EXPECT_TRUE(model->pool().seq_fork(a, 0, 140).has_value());
}

INSTANTIATE_TEST_SUITE_P(Backends, WindowCuts, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param; });

TEST(Windows, OfAnotherPlanMakeASnapshotIncompatible) {
  const auto model = open(options_of("cpu_avx2"));
  const auto whole = open(keeping(options_of("cpu_avx2")));
  const auto sequence = model->sequence(40);
  model->feed(sequence, tokens_of(7, 40), 64);
  const std::string bytes = export_bytes(model->pool(), sequence, 0);
  try {
    (void)import_bytes(whole->pool(), bytes);
    FAIL() << "the pages of the other plan are cut otherwise";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INCOMPATIBLE);
    EXPECT_NE(std::string_view(error.what()).find("windows: 1"), std::string_view::npos);
  }
  EXPECT_EQ(model->pool().seq_length(import_bytes(model->pool(), bytes), 0), 40U);
}

}  // namespace
}  // namespace vernal::test
