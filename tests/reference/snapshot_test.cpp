// Snapshots of real backends (sdk/spec/state.md, section 5): an import gives the same bits, and a
// changed snapshot is refused and leaves nothing behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "reference/golden_model.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "support/snapshot_bytes.hpp"
#include "vernal/error.hpp"
#include "vernal/state/snapshot_header.hpp"

namespace vernal::test {
namespace {

using Tokens = std::vector<std::int32_t>;

std::unique_ptr<ModelUnderTest> open(const std::string& backend, const std::string& name,
                                     const std::string& keys = "f16") {
  ModelOptions options;
  options.backend = backend;
  options.keys = keys;
  options.values = "f16";
  options.threads = backend == "cpu_avx2" ? 1 : 0;
  options.context_length = 128;
  options.max_sequences = 4;
  options.rollback_depth = 2;
  return std::make_unique<ModelUnderTest>(golden_folder(name) / (name + ".gguf"), options);
}

/// The error that a call throws; code OK if it throws none.
Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {VERNAL_OK, "nothing was thrown"};
}

class Snapshots : public testing::TestWithParam<std::string> {
 protected:
  /// A snapshot of a sequence of a few tokens. The sequence is released.
  std::string snapshot(ModelUnderTest& model, const Tokens& tokens) {
    const auto sequence = model.sequence(tokens.size());
    model.feed(sequence, tokens, 0);
    std::string bytes = export_bytes(model.pool(), sequence, 0);
    model.pool().seq_release(sequence);
    return bytes;
  }
  const Tokens prompt_{5, 6, 7, 8, 9, 10, 11};
};

TEST_P(Snapshots, ComeBackBitForBit) {
  for (const char* name : {"tiny-llama", "tiny-gemma3", "tiny-qwen35-iq4_ks"}) {
    SCOPED_TRACE(name);
    const auto model = open(GetParam(), name);
    plugin::BackendPool& pool = model->pool();
    ASSERT_NE(pool.info().flags & VERNAL_POOL_SNAPSHOT, 0U);
    const std::uint64_t free_tokens = pool.info().free_tokens;
    for (const std::size_t length : {0U, 1U, 2U, 7U, 64U, 70U}) {
      Tokens tokens;
      for (std::size_t i = 0; i < length; ++i) tokens.push_back(static_cast<int>(5 + i % 11));
      const auto original = model->sequence(100);
      model->feed(original, tokens, 0);
      const auto checkpoint = pool.checkpoint_create(original);
      ASSERT_TRUE(checkpoint);
      const std::string bytes = export_bytes(pool, original, 0);
      EXPECT_EQ(export_bytes(pool, 0, *checkpoint), bytes) << "of a checkpoint";
      const auto copy = import_bytes(pool, bytes);
      EXPECT_EQ(pool.seq_length(copy, 0), length);
      EXPECT_EQ(export_bytes(pool, copy, 0), bytes) << "of what was imported";
      ASSERT_TRUE(pool.seq_reserve(copy, 20));
      EXPECT_EQ(model->feed(copy, prompt_, 3), model->feed(original, prompt_, 3)) << length;
      pool.seq_release(original);
      pool.seq_release(copy);
      pool.checkpoint_release(*checkpoint);
      EXPECT_EQ(pool.info().free_tokens, free_tokens);
    }
  }
}

TEST_P(Snapshots, SurviveTheProgram) {
  const std::string bytes = snapshot(*open(GetParam(), "tiny-qwen35-iq4_ks"), prompt_);
  const auto model = open(GetParam(), "tiny-qwen35-iq4_ks");
  const auto fresh = model->sequence(40);
  model->feed(fresh, prompt_, 0);
  const auto imported = import_bytes(model->pool(), bytes);
  ASSERT_TRUE(model->pool().seq_reserve(imported, 20));
  EXPECT_EQ(model->feed(imported, prompt_, 0), model->feed(fresh, prompt_, 0));
}

TEST_P(Snapshots, NameTheFirstThingThatDiffersBeforeThePayload) {
  const auto model = open(GetParam(), "tiny-llama");
  const auto refused = [&](const std::string& bytes, const std::string& why) {
    SnapshotSource source{bytes, 0};
    const Error error = error_of([&] { (void)model->pool().snapshot_import(source.reader()); });
    EXPECT_EQ(error.code(), VERNAL_INCOMPATIBLE) << why;
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    EXPECT_LE(source.at, 264U) << "more was read than the header";
  };
  const std::string own = snapshot(*model, prompt_);
  refused(snapshot(*open(GetParam(), "tiny-qwen2"), prompt_), "fingerprint of the module");
  refused(snapshot(*open(GetParam(), "tiny-llama", "q8_0"), prompt_), "format of keys");
  const std::string other = GetParam() == "reference" ? "cpu_avx2" : "reference";
  refused(snapshot(*open(other, "tiny-llama"), prompt_), "plugin");
  const std::vector<std::pair<std::size_t, std::string>> fields{{0, "magic"},
                                                                {8, "version of the layout"},
                                                                {12, "size of the header"},
                                                                {16, "plugin"},
                                                                {80, "version of the plugin"},
                                                                {112, "fingerprint"},
                                                                {144, "keys"},
                                                                {160, "values"},
                                                                {176, "recurrent"},
                                                                {192, "rotation"},
                                                                {208, "block of keys"},
                                                                {212, "block of values"}};
  for (const auto& [offset, name] : fields) {
    std::string bytes = own;
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
    bytes[215] = static_cast<char>(bytes[215] ^ 1);  // a later field
    refused(bytes, name);
  }
}

TEST_P(Snapshots, AreRefusedWithAnyByteOfTheHeaderChanged) {
  const auto model = open(GetParam(), "tiny-qwen35-iq4_ks");
  const std::string bytes = snapshot(*model, prompt_);
  const std::uint64_t free_tokens = model->pool().info().free_tokens;
  for (std::size_t i = 0; i < 256; ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      EXPECT_THROW((void)import_bytes(model->pool(), damaged), Error) << i;
    }
  }
  EXPECT_EQ(model->pool().info().free_tokens, free_tokens);
  // The slots of recurrent states are free again, too.
  for (int i = 0; i < 4; ++i) (void)import_bytes(model->pool(), bytes);
}

TEST_P(Snapshots, AreRefusedWithAnyBitOfThePayloadChanged) {
  const auto check = [&](const std::string& name, int num_flips) {
    const auto model = open(GetParam(), name);
    std::string bytes = snapshot(*model, {5, 6, 7});
    const std::uint64_t free_tokens = model->pool().info().free_tokens;
    std::mt19937_64 random(11);
    for (int i = 0; i < num_flips; ++i) {
      const std::size_t at = 256 + random() % (bytes.size() - 256);
      const auto bit = static_cast<char>(1U << (random() % 8));
      bytes[at] = static_cast<char>(bytes[at] ^ bit);
      const Error error = error_of([&] { (void)import_bytes(model->pool(), bytes); });
      ASSERT_EQ(error.code(), VERNAL_INVALID_ARGUMENT) << at;
      bytes[at] = static_cast<char>(bytes[at] ^ bit);
    }
    EXPECT_EQ(model->pool().info().free_tokens, free_tokens);
    (void)import_bytes(model->pool(), bytes);
  };
  check("tiny-llama", 20000);
  check("tiny-qwen35-iq4_ks", 500);
}

TEST_P(Snapshots, AreRefusedWhenTheyEndEarly) {
  const auto model = open(GetParam(), "tiny-llama");
  const std::string bytes = snapshot(*model, prompt_);
  const std::uint64_t free_tokens = model->pool().info().free_tokens;
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 8) {
    EXPECT_THROW((void)import_bytes(model->pool(), bytes.substr(0, size)), Error) << size;
  }
  EXPECT_EQ(model->pool().info().free_tokens, free_tokens);
}

TEST_P(Snapshots, NeedRoomLikeAnySequence) {
  const auto model = open(GetParam(), "tiny-llama");
  plugin::BackendPool& pool = model->pool();
  const std::string bytes = snapshot(*model, prompt_);
  std::vector<vernal_sequence_id> others;
  while (pool.info().free_tokens > 0) {
    others.push_back(model->sequence(std::min<std::uint64_t>(pool.info().free_tokens, 128)));
  }
  EXPECT_EQ(error_of([&] { (void)import_bytes(pool, bytes); }).code(), VERNAL_RESOURCE_EXHAUSTED);
  pool.seq_release(others.front());
  EXPECT_EQ(pool.seq_length(import_bytes(pool, bytes), 0), prompt_.size());
}

TEST(SnapshotChecksum, DoesNotDependOnHowTheStreamIsCut) {
  std::string bytes(1000, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37);
  SnapshotChecksum whole;
  whole.add(bytes.data(), bytes.size());
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    SnapshotChecksum cut;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(random() % 30, bytes.size() - at);
      cut.add(bytes.data() + at, size);
      at += size;
    }
    EXPECT_EQ(cut.value(), whole.value());
  }
  SnapshotChecksum longer = whole;
  longer.add("\0", 1);
  EXPECT_NE(longer.value(), whole.value());
}

INSTANTIATE_TEST_SUITE_P(Backends, Snapshots, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test
