// One model on one backend, and the same model spread over two instances of it: they give the same
// bits, after any calls that change the state.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "support/backends_under_test.hpp"
#include "support/loaded_deployment.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

constexpr std::uint64_t kContextLength = 256;

std::string deployment(const std::string& backend, const std::string& placement) {
  const std::string threads = backend == "cpu_avx2" ? "threads = 1\n" : "";
  return "schema = 1\n[runtime]\nplugin_paths = [\"" VERNAL_PLUGIN_DIR
         "\"]\nlog_level = \"off\"\n[backends.a]\nplugin = \"" +
         backend + "\"\n" + threads + "[backends.b]\nplugin = \"" + backend + "\"\n" + threads +
         "[models.tiny]\npath = \"" VERNAL_GOLDEN_DIR "/models/tiny-llama.gguf\"\n" + placement +
         "\ncontext_length = 256\nslots = 3\nkv_tokens = 512\nmax_tokens_per_step = 96\n"
         "kv_cache = { keys = \"" +
         (backend == "reference" ? "f32" : "f16") + "\", values = \"" +
         (backend == "reference" ? "f32" : "f16") + "\" }\n";
}

constexpr const char* kWhole = "backend = \"a\"";
constexpr const char* kSpread =
    "layers = [{ backend = \"a\", first = 0, last = 0 }, { backend = \"b\", first = 1, last = "
    "LAST }]";

std::string spread(int last) {
  std::string text = kSpread;
  return text.replace(text.find("LAST"), 4, std::to_string(last));
}

constexpr int kLastLayer = 2;

class Placement : public testing::TestWithParam<std::string> {
 protected:
  const plugin::ScopedThreadRole role_{VERNAL_ROLE_ENGINE};
};

/// A sequence in both models, with the same tokens.
struct Twin {
  SequenceId whole;
  SequenceId spread;
  std::uint64_t length;
};

TEST_P(Placement, GivesTheSameBitsThroughAnyProgramOfStateCalls) {
  LoadedDeployment whole(deployment(GetParam(), kWhole));
  LoadedDeployment parts(deployment(GetParam(), spread(kLastLayer)));
  std::mt19937 random(7);
  std::vector<Twin> twins;
  int num_steps = 0;
  int num_refusals = 0;
  const auto below = [&](std::uint64_t end) { return random() % std::max<std::uint64_t>(end, 1); };
  const bool is_fast = GetParam() == "cpu_avx2";
  for (int i = 0; i < (is_fast ? 400 : 40); ++i) {
    const std::uint64_t what = below(10);
    if (twins.empty() || what == 0) {
      const auto a = whole.steps().create_sequence();
      const auto b = parts.steps().create_sequence();
      ASSERT_EQ(a.has_value(), b.has_value());
      if (a) twins.push_back({*a, *b, 0});
      continue;
    }
    Twin& twin = twins[below(twins.size())];
    if (what == 1) {
      twin.length = below(twin.length + 1);
      ASSERT_TRUE(whole.steps().truncate(twin.whole, twin.length));
      ASSERT_TRUE(parts.steps().truncate(twin.spread, twin.length));
    } else if (what == 2) {
      const std::uint64_t position = below(twin.length + 1);
      const auto a = whole.steps().fork(twin.whole, position);
      const auto b = parts.steps().fork(twin.spread, position);
      ASSERT_EQ(a.has_value(), b.has_value());
      if (a) twins.push_back({*a, *b, position});
    } else if (what == 3 || twins.size() > 3) {
      whole.steps().release_sequence(twin.whole);
      parts.steps().release_sequence(twin.spread);
      twins.erase(twins.begin() + (&twin - twins.data()));
    } else {
      const std::uint64_t count = 1 + below(90);
      if (twin.length + count > kContextLength) continue;
      const bool has_room = whole.steps().reserve(twin.whole, count);
      ASSERT_EQ(parts.steps().reserve(twin.spread, count), has_room);
      num_refusals += has_room ? 0 : 1;
      if (!has_room) continue;
      std::vector<TokenId> tokens(count);
      for (TokenId& token : tokens) token = static_cast<TokenId>(below(512));
      ASSERT_EQ(whole.feed(twin.whole, twin.length, tokens),
                parts.feed(twin.spread, twin.length, tokens));
      twin.length += count;
      ++num_steps;
    }
    ASSERT_EQ(whole.steps().info().free_tokens, parts.steps().info().free_tokens);
  }
  EXPECT_GT(num_steps, is_fast ? 80 : 5);
  EXPECT_GT(num_refusals, is_fast ? 5 : 0);
}

TEST_P(Placement, PricesEachSegment) {
  LoadedDeployment whole(deployment(GetParam(), kWhole));
  LoadedDeployment parts(deployment(GetParam(), spread(kLastLayer)));
  const vernal_plan_info one = whole.open().model("").plan_info();
  const vernal_plan_info sum = parts.open().model("").plan_info();
  EXPECT_EQ(one.bytes_per_kv_token, sum.bytes_per_kv_token);
  std::map<std::string, std::uint64_t> kv_bytes;  // by what the object is named after
  for (const MemoryRow& row : parts.open().model("").rows()) {
    const std::size_t comma = row.object.find(", ");
    ASSERT_NE(comma, std::string::npos) << row.object;
    kv_bytes[row.object.substr(0, comma)] +=
        row.object.substr(comma + 2) == "kv cache" ? row.bytes : 0;
  }
  ASSERT_EQ(kv_bytes.size(), 2U);
  for (const MemoryRow& row : whole.open().model("").rows()) {
    if (row.object != "kv cache") continue;
    EXPECT_EQ(kv_bytes["layers 0 to 0 on a"], row.bytes / 3) << "one of three layers";
    EXPECT_EQ(kv_bytes["layers 1 to 2 on b"], row.bytes / 3 * 2);
  }
}

TEST_P(Placement, RefusesLayersThatAreNotThereAndLayersLeftOut) {
  for (const int last : {kLastLayer + 1, kLastLayer - 1}) {
    try {
      const LoadedDeployment loaded(deployment(GetParam(), spread(last)));
      FAIL() << "layers up to " << last << " were taken";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("[models.tiny]"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("layer"), std::string::npos) << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Placement, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace vernal::test
