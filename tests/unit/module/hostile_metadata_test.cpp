// Model files with wrong metadata. Every architecture gives one error, which names the key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gemma3/gemma3.hpp"
#include "llama/llama.hpp"
#include "module/build_module.hpp"
#include "qwen2/qwen2.hpp"
#include "qwen3/qwen3.hpp"
#include "support/fake_model.hpp"

namespace vernal::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

/// A sound file of an architecture with one layer. Tests change it.
class Spoiled {
 public:
  explicit Spoiled(std::string name) : name_(std::move(name)) {
    metadata.set("general.architecture", name_);
    set("block_count", std::int64_t{1});
    set("context_length", std::int64_t{4096});
    set("embedding_length", std::int64_t{64});
    set("feed_forward_length", std::int64_t{96});
    set("attention.head_count", std::int64_t{4});
    set("attention.head_count_kv", std::int64_t{2});
    set("attention.layer_norm_rms_epsilon", 1e-6);
    weights.set("token_embd.weight", {100, 64});
    weights.set("output_norm.weight", {64});
    for (const char* norm : {"attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"}) {
      layer(norm, {64});
    }
    layer("attn_q_norm", {16});
    layer("attn_k_norm", {16});
    layer("attn_q", {64, 64});
    layer("attn_k", {32, 64});
    layer("attn_v", {32, 64});
    layer("attn_output", {64, 64});
    layer("ffn_gate", {96, 64});
    layer("ffn_up", {96, 64});
    layer("ffn_down", {64, 96});
    weights.set("blk.0.attn_q.bias", {64});
    weights.set("blk.0.attn_k.bias", {32});
    weights.set("blk.0.attn_v.bias", {32});
  }

  Spoiled& set(const std::string& key, FakeMetadata::Value value) {
    metadata.set(name_ + "." + key, std::move(value));
    return *this;
  }
  Spoiled& erase(const std::string& key) {
    metadata.erase(name_ + "." + key);
    return *this;
  }

  template <class T>
  BuiltModule build(std::uint64_t context_length = 4096) const {
    const ArchitecturePlugin plugin{name_, architecture_table<T>(), [] {
                                      const std::string text = plugin_host().last_error();
                                      plugin_host().set_error(VERNAL_OK, {});
                                      return text;
                                    }};
    ModuleOptions options;
    options.context_length = context_length;
    return build_module(plugin, {metadata, weights}, options);
  }
  template <class T>
  std::string error() const {
    try {
      build<T>();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  FakeMetadata metadata;
  FakeWeights weights;

 private:
  void layer(const std::string& name, std::initializer_list<std::int64_t> dims) {
    weights.set("blk.0." + name + ".weight", dims);
  }
  std::string name_;
};

/// These tests run for each architecture.
template <class T>
struct Named;
template <>
struct Named<architectures::Llama> {
  static constexpr const char* kName = "llama";
};
template <>
struct Named<architectures::Qwen2> {
  static constexpr const char* kName = "qwen2";
};
template <>
struct Named<architectures::Qwen3> {
  static constexpr const char* kName = "qwen3";
};
template <>
struct Named<architectures::Gemma3> {
  static constexpr const char* kName = "gemma3";
};

template <class T>
class HostileMetadata : public ::testing::Test {
 protected:
  Spoiled file() const { return Spoiled(Named<T>::kName); }
  /// The error names `key` and says `what`.
  static void expect_refused(const Spoiled& file, const std::string& key, const std::string& what) {
    EXPECT_THAT(file.error<T>(), AllOf(HasSubstr("metadata key \"" + std::string(Named<T>::kName) +
                                                 "." + key + "\""),
                                       HasSubstr(what)));
  }
};

using All = ::testing::Types<architectures::Llama, architectures::Qwen2, architectures::Qwen3,
                             architectures::Gemma3>;
TYPED_TEST_SUITE(HostileMetadata, All);

TYPED_TEST(HostileMetadata, StartsFromAFileThatBuilds) {
  EXPECT_EQ(this->file().template error<TypeParam>(), "no error");
}

TYPED_TEST(HostileMetadata, RefusesSizesOutOfBounds) {
  for (const char* key : {"block_count", "embedding_length", "feed_forward_length",
                          "attention.head_count", "attention.head_count_kv", "context_length"}) {
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, kHuge, -kHuge - 1}) {
      this->expect_refused(this->file().set(key, value), key, "found " + std::to_string(value));
    }
    this->expect_refused(this->file().set(key, std::string("many")), key, "expected an integer");
    this->expect_refused(this->file().set(key, FakeMetadata::Ints{1, 2}), key,
                         "expected an integer");
  }
}

TYPED_TEST(HostileMetadata, RefusesMissingKeys) {
  for (const char* key :
       {"block_count", "embedding_length", "feed_forward_length", "attention.head_count",
        "context_length", "attention.layer_norm_rms_epsilon"}) {
    this->expect_refused(this->file().erase(key), key, "lacks this key");
  }
}

TYPED_TEST(HostileMetadata, RefusesHeadsThatDoNotDivide) {
  this->expect_refused(this->file().set("attention.head_count_kv", std::int64_t{3}),
                       "attention.head_count_kv", "expected a divisor of 4 heads, found 3");
  this->expect_refused(
      this->file().set("attention.head_count", std::int64_t{5}).erase("attention.head_count_kv"),
      "attention.head_count", "expected a divisor of the embedding length 64");
}

TYPED_TEST(HostileMetadata, RefusesNumbersThatAreNotFinite) {
  for (const char* key : {"attention.layer_norm_rms_epsilon", "rope.freq_base",
                          "rope.scaling.factor", "attention.scale"}) {
    for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0}) {
      this->expect_refused(this->file().set(key, value), key, "expected a number from");
    }
  }
}

TYPED_TEST(HostileMetadata, RefusesRotationsThatDoNotFitAHead) {
  this->expect_refused(this->file().set("rope.dimension_count", std::int64_t{18}),
                       "rope.dimension_count", "expected 2 to 16, found 18");
  this->expect_refused(this->file().set("rope.dimension_count", std::int64_t{7}),
                       "rope.dimension_count", "expected an even number, found 7");
  this->expect_refused(this->file().set("attention.key_length", std::int64_t{15}),
                       "rope.dimension_count", "expected an even number, found 15");
}

TYPED_TEST(HostileMetadata, RefusesAHeadTooSmallToRotate) {
  this->expect_refused(this->file().set("attention.key_length", std::int64_t{1}),
                       "rope.dimension_count", "expected an even number, found 1");
}

TYPED_TEST(HostileMetadata, RefusesAnUnknownScaling) {
  this->expect_refused(this->file().set("rope.scaling.type", std::string("spiral")),
                       "rope.scaling.type", "found \"spiral\"");
}

TYPED_TEST(HostileMetadata, RefusesAFileWithoutEmbedding) {
  Spoiled file = this->file();
  file.weights.erase("token_embd.weight");
  EXPECT_THAT(file.error<TypeParam>(), HasSubstr("tensor \"token_embd.weight\""));
  file.weights.set("token_embd.weight", {100, 63});
  EXPECT_THAT(file.error<TypeParam>(), HasSubstr("expected [vocabulary, 64], found [100, 63]"));
}

TYPED_TEST(HostileMetadata, ListsEveryWeightThatIsMissingOrMisshapen) {
  Spoiled file = this->file();
  file.weights.erase("blk.0.ffn_up.weight");
  file.weights.erase("output_norm.weight");
  file.weights.set("blk.0.attn_k.weight", {64, 32});
  EXPECT_THAT(file.error<TypeParam>(),
              AllOf(HasSubstr("3 problems"), HasSubstr("weight \"blk.0.ffn_up.weight\": missing"),
                    HasSubstr("weight \"output_norm.weight\": missing"),
                    HasSubstr("\"blk.0.attn_k.weight\": expected [32, 64], found [64, 32]")));
}

TYPED_TEST(HostileMetadata, CountsTheMissingWeightsOfAThousandLayers) {
  Spoiled file = this->file();
  file.set("block_count", std::int64_t{1024});
  EXPECT_THAT(file.error<TypeParam>(), AllOf(HasSubstr("\n  and "), HasSubstr(" more")));
}

template <class T>
const Node& node_at(const BuiltModule& built, T path) {
  for (const Node& node : built.module->functions.at(0).nodes) {
    if (node.path == path) return node;
  }
  throw std::runtime_error("no such node");
}

TEST(LlamaMetadata, ReadsScalings) {
  Spoiled linear("llama");
  linear.set("rope.scaling.type", std::string("linear")).set("rope.scaling.factor", 4.0);
  const auto by_linear = linear.build<architectures::Llama>();
  EXPECT_EQ(node_at(by_linear, "blk.0.rope").number("factor", 0), 4);

  Spoiled yarn("llama");
  yarn.set("rope.scaling.type", std::string("yarn")).set("rope.scaling.factor", 4.0);
  yarn.set("rope.scaling.original_context_length", std::int64_t{1024});
  const auto by_yarn = yarn.build<architectures::Llama>();
  const Node& rope = node_at(by_yarn, "blk.0.rope");
  EXPECT_EQ(rope.text("scaling", ""), "yarn");
  EXPECT_EQ(rope.integer("original_context_length", 0), 1024);
  EXPECT_DOUBLE_EQ(rope.number("magnitude", 0), 1 + 0.1 * std::log(4.0));

  Spoiled banded("llama");
  banded.set("rope.scaling.type", std::string("llama3")).set("rope.scaling.factor", 8.0);
  const auto by_bands = banded.build<architectures::Llama>();
  EXPECT_EQ(node_at(by_bands, "blk.0.rope").text("scaling", ""), "banded");
}

TEST(LlamaMetadata, UsesStoredFrequencyFactors) {
  Spoiled file("llama");
  file.weights.set("rope_freqs.weight", {8});
  EXPECT_EQ(node_at(file.build<architectures::Llama>(), "blk.0.rope").operands.size(), 3U);
  file.weights.set("rope_freqs.weight", {9});
  EXPECT_THAT(file.error<architectures::Llama>(), HasSubstr("expected [8], found [9]"));
}

TEST(LlamaMetadata, ChoosesLongFactorsForLongContexts) {
  Spoiled file("llama");
  file.set("rope.scaling.type", std::string("longrope"));
  EXPECT_THAT(file.error<architectures::Llama>(), HasSubstr("the file has no rope factors"));
  file.weights.set("rope_factors_long.weight", {8});
  file.weights.set("rope_factors_short.weight", {8});
  const auto factors_of = [](const BuiltModule& built) {
    return built.module->weights[node_at(built, "blk.0.rope").operands[2].index].name;
  };
  EXPECT_EQ(factors_of(file.build<architectures::Llama>(4096)), "rope_factors_short.weight");
  EXPECT_EQ(factors_of(file.build<architectures::Llama>(4097)), "rope_factors_long.weight");
}

TEST(LlamaMetadata, AddsEveryStoredBias) {
  Spoiled file("llama");
  file.weights.set("blk.0.attn_output.bias", {64});
  file.weights.set("output.bias", {100});
  const auto built = file.build<architectures::Llama>();
  EXPECT_EQ(node_at(built, "blk.0.attn_output").operands.size(), 3U);
  EXPECT_EQ(node_at(built, "output").operands.size(), 3U);
  EXPECT_EQ(node_at(built, "blk.0.ffn_up").operands.size(), 2U);
}

TEST(LlamaMetadata, RefusesExperts) {
  Spoiled file("llama");
  file.set("expert_count", std::int64_t{8});
  EXPECT_THAT(file.error<architectures::Llama>(), HasSubstr("\"llama.expert_count\""));
}

TEST(Qwen2Metadata, RequiresItsBiases) {
  Spoiled file("qwen2");
  file.weights.erase("blk.0.attn_v.bias");
  EXPECT_THAT(file.error<architectures::Qwen2>(),
              HasSubstr("weight \"blk.0.attn_v.bias\": missing in the model file; expected [32]"));
}

TEST(Gemma3Metadata, ReadsAnExplicitPattern) {
  Spoiled file("gemma3");
  file.set("attention.sliding_window", std::int64_t{32});
  file.set("attention.sliding_window_pattern", FakeMetadata::Ints{0});
  EXPECT_EQ(file.build<architectures::Gemma3>().module->states[0].window, 0);
  file.set("attention.sliding_window_pattern", FakeMetadata::Ints{1});
  EXPECT_EQ(file.build<architectures::Gemma3>().module->states[0].window, 32);
  file.set("attention.sliding_window_pattern", FakeMetadata::Ints{1, 0});
  EXPECT_THAT(file.error<architectures::Gemma3>(), HasSubstr("expected 1 elements, found 2"));
  file.set("attention.sliding_window_pattern", std::int64_t{1});
  EXPECT_EQ(file.build<architectures::Gemma3>().module->states[0].window, 0);
  file.set("attention.sliding_window_pattern", std::int64_t{0});
  EXPECT_THAT(file.error<architectures::Gemma3>(), HasSubstr("expected 1 to 1024, found 0"));
  file.set("attention.sliding_window", kHuge);
  EXPECT_THAT(file.error<architectures::Gemma3>(), HasSubstr("attention.sliding_window\""));
}

TEST(Gemma3Metadata, ScalesOnlyGlobalLayers) {
  Spoiled file("gemma3");
  file.set("rope.scaling.type", std::string("linear")).set("rope.scaling.factor", 8.0);
  EXPECT_EQ(node_at(file.build<architectures::Gemma3>(), "blk.0.rope").text("scaling", ""),
            "linear");
  file.set("attention.sliding_window", std::int64_t{32});
  EXPECT_EQ(node_at(file.build<architectures::Gemma3>(), "blk.0.rope").text("scaling", ""), "none");
}

TEST(Gemma3Metadata, CapsTheLogitsIfTheFileSaysSo) {
  Spoiled file("gemma3");
  file.set("final_logit_softcapping", 30.0);
  EXPECT_EQ(node_at(file.build<architectures::Gemma3>(), "softcap").number("c", 0), 30);
}

}  // namespace
}  // namespace vernal::test
