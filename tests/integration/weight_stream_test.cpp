// Layers on the processor whose weights a device streams for large steps: the answers are those of the
// processor within rounding, small steps are left alone, and everything is planned.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "support/loaded_deployment.hpp"

namespace vernal::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kLeast = 40;
constexpr std::uint64_t kMost = 64;

/// Where the layers of a model are, and how many of its products a large step gives away.
struct Case {
  const char* name;
  const char* model;
  const char* layers;
  std::size_t host;  ///< segment
};

// Storage formats of their layers on the processor: iq4_ks and q8_0; q4_K and q6_K; f16, with biases.
const Case kCases[] = {
    {"Hybrid", "tiny-qwen35-iq4_ks",
     R"([{ backend = "cpu", first = 0, last = 2 }, { backend = "card", first = 3, last = 3 }])", 0},
    {"Llama", "tiny-llama-q4_k_m",
     R"([{ backend = "card", first = 0, last = 0 }, { backend = "cpu", first = 1, last = 2 }])", 1},
    {"Qwen2", "tiny-qwen2",
     R"([{ backend = "cpu", first = 0, last = 1 }, { backend = "card", first = 2, last = 2 }])", 0},
};

std::string deployment(const Case& c, const std::string& stream_weights,
                       const std::string& repack = "auto") {
  return fmt::format(R"(schema = 1
[runtime]
plugin_paths = ["{}"]
log_level = "off"
[backends.cpu]
plugin = "cpu_avx2"
threads = 2
repack = "{}"
[backends.card]
plugin = "cuda_sm86_emu"
[models.tiny]
path = "{}/models/{}.gguf"
layers = {}
context_length = 256
slots = 2
max_tokens_per_step = {}
{})",
                     VERNAL_PLUGIN_DIR, repack, VERNAL_GOLDEN_DIR, c.model, c.layers, kMost,
                     stream_weights.empty() ? "" : "stream_weights = " + stream_weights + "\n");
}

std::vector<TokenId> some_tokens(std::size_t count) {
  std::mt19937 random(11);
  std::vector<TokenId> out(count);
  for (TokenId& token : out) token = static_cast<TokenId>(random() % 500);
  return out;
}

/// sum((x - r)^2) / sum(r^2)
double difference(const std::vector<float>& found, const std::vector<float>& reference) {
  double error = 0;
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double d = static_cast<double>(found[i]) - static_cast<double>(reference[i]);
    error += d * d;
    sum += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
  }
  return std::isfinite(error) ? error / sum : INFINITY;
}

const ModelSegment& host_of(LoadedDeployment& loaded, const Case& c) {
  return loaded.open().model("").segments()[c.host];
}

vernal_weight_stream_stats stats_of(LoadedDeployment& loaded, const Case& c) {
  return host_of(loaded, c).stream->stream->stats();
}

std::vector<std::uint64_t> bytes_of(const std::vector<MemoryRow>& rows) {
  std::vector<std::uint64_t> out;
  for (const MemoryRow& row : rows) out.push_back(row.bytes);
  return out;
}

/// What is allocated beyond the plan, by device: a backend may take a byte where it planned none.
std::map<std::string, std::uint64_t> unplanned(LoadedDeployment& loaded) {
  std::map<std::string, std::uint64_t> out;
  for (const MemoryUse& use : loaded.open().model("").memory_use()) {
    out[use.device] = use.allocated - use.planned;
  }
  return out;
}

/// Products of all tokens of a step, in the host's layers.
std::uint64_t products_of_tokens(const Module& module) {
  const Function& main = module.functions[0];
  return static_cast<std::uint64_t>(std::ranges::count_if(main.nodes, [&](const Node& node) {
    return node.op == "vernal.linear/1" &&
           main.values[node.operands[0].index].shape[0] == VERNAL_DIM_TOKENS;
  }));
}

class StreamedLayers : public ::testing::TestWithParam<Case> {
 protected:
  const plugin::ScopedThreadRole role_{VERNAL_ROLE_ENGINE};
};

TEST_P(StreamedLayers, AnswerAsTheProcessorDoes) {
  const Case& c = GetParam();
  LoadedDeployment streamed(deployment(c, std::to_string(kLeast)));
  LoadedDeployment alone(deployment(c, "0"));
  EXPECT_FALSE(host_of(alone, c).stream);
  EXPECT_FALSE(streamed.steps().info().is_chunk_invariant);
  const auto a = *streamed.steps().create_sequence();
  const auto b = *alone.steps().create_sequence();
  ASSERT_TRUE(streamed.steps().reserve(a, 200) && alone.steps().reserve(b, 200));
  const std::uint64_t products = products_of_tokens(*host_of(streamed, c).module);
  std::uint64_t length = 0;
  std::uint64_t expected = 0;
  // A prompt of two chunks, decode steps, a chunk that is too short, a turn of the user.
  for (const std::size_t count : {kMost, kLeast, 1UL, 1UL, kLeast - 1, kLeast + 5, 1UL}) {
    const std::vector<TokenId> tokens = some_tokens(count);
    const std::vector<float> found = streamed.feed(a, length, tokens);
    const std::vector<float> reference = alone.feed(b, length, tokens);
    EXPECT_LE(difference(found, reference), 2e-3) << count << " tokens from " << length << " on";
    length += count;
    if (count >= kLeast) expected += products;
    ASSERT_EQ(stats_of(streamed, c).products, expected) << count << " tokens";
    ASSERT_EQ(streamed.steps().info().streamed_products, expected);
  }
  EXPECT_GT(stats_of(streamed, c).weight_bytes, 0U);
}

TEST_P(StreamedLayers, TakeTheMemoryThatIsPlanned) {
  const Case& c = GetParam();
  LoadedDeployment streamed(deployment(c, std::to_string(kLeast)));
  LoadedDeployment alone(deployment(c, "0"));
  EXPECT_EQ(unplanned(streamed), unplanned(alone));
  const SegmentStream& stream = *host_of(streamed, c).stream;
  EXPECT_EQ(bytes_of(stream.memory_report()), bytes_of(stream.rows()));
  // Beside the rows without a stream there are three, of the device and of the host.
  const std::vector<MemoryRow> rows = streamed.open().model("").rows();
  std::vector<std::string> more;
  for (const MemoryRow& row : rows) {
    if (!row.object.ends_with("weight stream") && !row.object.ends_with("streamed weights"))
      continue;
    more.push_back(fmt::format("{} {}", row.device, row.category));
    EXPECT_THAT(row.object, HasSubstr(" on cpu, "));
    EXPECT_GT(row.bytes, 0U);
  }
  EXPECT_THAT(more, ElementsAre(fmt::format("cuda:0 {}", VERNAL_MEMORY_WORKSPACE),
                                fmt::format("cpu {}", VERNAL_MEMORY_PINNED_HOST),
                                fmt::format("cpu {}", VERNAL_MEMORY_MAPPED_FILE)));
  EXPECT_EQ(rows.size(), alone.open().model("").rows().size() + 3);
  EXPECT_THAT(streamed.open().model("").stream_texts(),
              ElementsAre(HasSubstr("streamed through card in steps of 40 tokens or more")));
  EXPECT_THAT(alone.open().model("").stream_texts(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Models, StreamedLayers, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

std::uint64_t mapped_bytes(const std::string& text) {
  Log log(LogLevel::kOff);
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("vernal-streamed-{}.toml", ::getpid());
  std::ofstream(file) << text;
  OpenDeployment open(file, log);
  std::filesystem::remove(file);
  open.price_models();
  std::uint64_t sum = 0;
  for (const MemoryRow& row : open.model("").rows()) {
    if (row.category == VERNAL_MEMORY_MAPPED_FILE) sum += row.bytes;
  }
  return sum;
}

TEST(StreamedWeightsOfTheFile, AreCountedOnce) {
  const std::string stream = std::to_string(kLeast);
  const std::uint64_t in_place = mapped_bytes(deployment(kCases[2], "0", "never"));
  EXPECT_EQ(mapped_bytes(deployment(kCases[2], stream, "never")), in_place);
  // Copied weights are in the file as well; tables that are only looked up are not streamed.
  EXPECT_EQ(mapped_bytes(deployment(kCases[2], stream, "auto")), in_place);
  EXPECT_LT(mapped_bytes(deployment(kCases[2], "0", "auto")), in_place);
}

std::string refusal(const std::string& text) {
  try {
    const LoadedDeployment loaded(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "it was taken";
}

TEST(StreamedWeightsOfTheFile, AreRefusedWhereNobodyStreams) {
  const std::string card = "plugin = \"cuda_sm86_emu\"";
  std::string text = deployment(kCases[2], "64");
  text.replace(text.find(card), card.size(), "plugin = \"cpu_avx2\"");
  EXPECT_THAT(refusal(text),
              HasSubstr("[models.tiny]: stream_weights = 64: no other backend of its "
                        "layers has a device that weights are streamed through"));
  const std::string cpu = "plugin = \"cpu_avx2\"\nthreads = 2\nrepack = \"auto\"";
  text = deployment(kCases[2], "64");
  text.replace(text.find(cpu), cpu.size(), "plugin = \"cuda_sm86_emu\"");
  EXPECT_THAT(refusal(text),
              HasSubstr("[models.tiny]: stream_weights = 64: no backend of its layers "
                        "gives products away"));
}

TEST(StreamedWeightsOfTheFile, AreStreamedByDefaultWhereStepsAreLargeEnough) {
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  LoadedDeployment small(deployment(kCases[2], ""));
  EXPECT_FALSE(host_of(small, kCases[2]).stream) << "no step has 256 tokens";
  std::string text = deployment(kCases[2], "");
  const std::string limit = fmt::format("max_tokens_per_step = {}", kMost);
  text.replace(text.find(limit), limit.size(), "max_tokens_per_step = 256");
  LoadedDeployment large(text);
  ASSERT_TRUE(host_of(large, kCases[2]).stream);
  EXPECT_EQ(host_of(large, kCases[2]).stream->use.least_rows, 256U);
}

}  // namespace
}  // namespace vernal::test
