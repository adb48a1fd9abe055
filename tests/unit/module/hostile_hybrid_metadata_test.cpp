// Hybrid models and models with experts whose files have wrong metadata. Each gives one error,
// which names the key or the tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "module/build_module.hpp"
#include "qwen35/qwen35.hpp"
#include "qwen35moe/qwen35moe.hpp"
#include "qwen3moe/qwen3moe.hpp"
#include "support/fake_model.hpp"

namespace vernal::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

/// A sound file with two layers and one prediction layer. The first layer is a delta net, the
/// others have attention.
class HybridFile {
 public:
  explicit HybridFile(std::string name, bool has_experts = false) : name_(std::move(name)) {
    metadata.set("general.architecture", name_);
    set_sizes();
    weights.set("token_embd.weight", {100, 64});
    weights.set("output_norm.weight", {64});
    add_delta_net("blk.0.");
    for (const char* layer : {"blk.1.", "blk.2."}) add_attention(layer);
    for (const std::string layer : {"blk.0.", "blk.1.", "blk.2."}) {
      weights.set(layer + "attn_norm.weight", {64});
      weights.set(layer + "post_attention_norm.weight", {64});
      has_experts ? add_experts(layer) : add_feed_forward(layer);
    }
    weights.set("blk.2.nextn.eh_proj.weight", {64, 128});
    weights.set("blk.2.nextn.enorm.weight", {64});
    weights.set("blk.2.nextn.hnorm.weight", {64});
  }

  HybridFile& set(const std::string& key, FakeMetadata::Value value) {
    metadata.set(name_ + "." + key, std::move(value));
    return *this;
  }
  HybridFile& erase(const std::string& key) {
    metadata.erase(name_ + "." + key);
    return *this;
  }

  template <class T>
  BuiltModule build(const ModuleOptions& options = {.functions = {"mtp"}}) const {
    const ArchitecturePlugin plugin{name_, architecture_table<T>(), [] {
                                      const std::string text = plugin_host().last_error();
                                      plugin_host().set_error(VERNAL_OK, {});
                                      return text;
                                    }};
    return build_module(plugin, {metadata, weights}, options);
  }
  template <class T = architectures::Qwen35>
  std::string error(const ModuleOptions& options = {.functions = {"mtp"}}) const {
    try {
      build<T>(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  FakeMetadata metadata;
  FakeWeights weights;

 private:
  void set_sizes() {
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::int64_t>>{
             {"block_count", 3},
             {"nextn_predict_layers", 1},
             {"full_attention_interval", 2},
             {"context_length", 4096},
             {"embedding_length", 64},
             {"feed_forward_length", 96},
             {"attention.head_count", 4},
             {"attention.head_count_kv", 2},
             {"rope.dimension_count", 8},
             {"ssm.conv_kernel", 4},
             {"ssm.state_size", 8},
             {"ssm.group_count", 2},
             {"ssm.time_step_rank", 4},
             {"ssm.inner_size", 48},
             {"expert_count", 6},
             {"expert_used_count", 2},
             {"expert_feed_forward_length", 32},
             {"expert_shared_feed_forward_length", 32}}) {
      set(key, value);
    }
    set("attention.layer_norm_rms_epsilon", 1e-6);
    set("rope.dimension_sections", FakeMetadata::Ints{2, 1, 1, 0});
  }
  void add_delta_net(const std::string& layer) {
    weights.set(layer + "attn_qkv.weight", {80, 64});
    weights.set(layer + "attn_gate.weight", {48, 64});
    weights.set(layer + "ssm_conv1d.weight", {80, 4});
    weights.set(layer + "ssm_dt.bias", {4});
    weights.set(layer + "ssm_a", {4});
    weights.set(layer + "ssm_beta.weight", {4, 64});
    weights.set(layer + "ssm_alpha.weight", {4, 64});
    weights.set(layer + "ssm_norm.weight", {12});
    weights.set(layer + "ssm_out.weight", {64, 48});
  }
  void add_attention(const std::string& layer) {
    weights.set(layer + "attn_q.weight", {128, 64});
    weights.set(layer + "attn_k.weight", {32, 64});
    weights.set(layer + "attn_v.weight", {32, 64});
    weights.set(layer + "attn_output.weight", {64, 64});
    weights.set(layer + "attn_q_norm.weight", {16});
    weights.set(layer + "attn_k_norm.weight", {16});
  }
  void add_feed_forward(const std::string& layer) {
    weights.set(layer + "ffn_gate.weight", {96, 64});
    weights.set(layer + "ffn_up.weight", {96, 64});
    weights.set(layer + "ffn_down.weight", {64, 96});
  }
  void add_experts(const std::string& layer) {
    weights.set(layer + "ffn_gate_inp.weight", {6, 64});
    weights.set(layer + "ffn_gate_exps.weight", {6, 32, 64});
    weights.set(layer + "ffn_up_exps.weight", {6, 32, 64});
    weights.set(layer + "ffn_down_exps.weight", {6, 64, 32});
    weights.set(layer + "ffn_gate_inp_shexp.weight", {64});
    weights.set(layer + "ffn_gate_shexp.weight", {32, 64});
    weights.set(layer + "ffn_up_shexp.weight", {32, 64});
    weights.set(layer + "ffn_down_shexp.weight", {64, 32});
  }
  std::string name_;
};

std::string naming(const std::string& key) { return "metadata key \"qwen35." + key + "\""; }

TEST(HybridMetadata, StartsFromFilesThatBuild) {
  EXPECT_EQ(HybridFile("qwen35").error(), "no error");
  EXPECT_EQ(HybridFile("qwen35moe", true).error<architectures::Qwen35Moe>(), "no error");
}

TEST(HybridMetadata, RefusesSizesOutOfBounds) {
  for (const char* key : {"block_count", "embedding_length", "feed_forward_length",
                          "ssm.conv_kernel", "ssm.state_size", "ssm.group_count",
                          "ssm.time_step_rank", "ssm.inner_size", "full_attention_interval"}) {
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, kHuge}) {
      EXPECT_THAT(HybridFile("qwen35").set(key, value).error(),
                  AllOf(HasSubstr(naming(key)), HasSubstr("found " + std::to_string(value))));
    }
    EXPECT_THAT(HybridFile("qwen35").set(key, std::string("many")).error(),
                AllOf(HasSubstr(naming(key)), HasSubstr("expected an integer")));
  }
}

TEST(HybridMetadata, RefusesMissingKeys) {
  for (const char* key :
       {"ssm.conv_kernel", "ssm.state_size", "ssm.group_count", "ssm.time_step_rank",
        "ssm.inner_size", "rope.dimension_sections", "feed_forward_length"}) {
    EXPECT_THAT(HybridFile("qwen35").erase(key).error(),
                AllOf(HasSubstr(naming(key)), HasSubstr("lacks this key")));
  }
}

TEST(HybridMetadata, RefusesSizesThatDoNotFitEachOther) {
  EXPECT_THAT(HybridFile("qwen35").set("ssm.time_step_rank", std::int64_t{5}).error(),
              AllOf(HasSubstr(naming("ssm.time_step_rank")),
                    HasSubstr("expected a multiple of 2 key heads, found 5")));
  EXPECT_THAT(HybridFile("qwen35").set("ssm.inner_size", std::int64_t{49}).error(),
              AllOf(HasSubstr(naming("ssm.inner_size")),
                    HasSubstr("expected a multiple of 4 value heads, found 49")));
  EXPECT_THAT(HybridFile("qwen35").set("attention.value_length", std::int64_t{8}).error(),
              HasSubstr("expected the key length 16, found 8"));
  EXPECT_THAT(HybridFile("qwen35").set("nextn_predict_layers", std::int64_t{3}).error(),
              HasSubstr("expected less than 3 layers, found 3"));
}

TEST(HybridMetadata, RefusesSectionsThatDoNotCoverTheRotation) {
  for (const auto& sections :
       {FakeMetadata::Ints{2, 1}, FakeMetadata::Ints{2, 1, 2, 0}, FakeMetadata::Ints{5, -1, 0, 0},
        FakeMetadata::Ints{kHuge, kHuge, 2, 0}, FakeMetadata::Ints{}}) {
    EXPECT_THAT(HybridFile("qwen35").set("rope.dimension_sections", sections).error(),
                AllOf(HasSubstr(naming("rope.dimension_sections")),
                      HasSubstr("expected sections that add up to 4")));
  }
  EXPECT_THAT(HybridFile("qwen35")
                  .set("rope.dimension_sections", FakeMetadata::Ints{1, 1, 1, 1, 0})
                  .error(),
              HasSubstr("expected at most 4 elements, found 5"));
  EXPECT_THAT(HybridFile("qwen35").set("rope.dimension_sections", std::int64_t{4}).error(),
              HasSubstr("expected an array"));
}

TEST(HybridMetadata, PrefersTheStoredListOfRecurrentLayers) {
  HybridFile file("qwen35");
  file.set("full_attention_interval", std::int64_t{7});
  file.set("attention.recurrent_layers", FakeMetadata::Ints{1, 0});
  EXPECT_EQ(file.error(), "no error");
  file.set("attention.recurrent_layers", FakeMetadata::Ints{1, 0, 0});
  EXPECT_EQ(file.error(), "no error");
  file.set("attention.recurrent_layers", FakeMetadata::Ints{1});
  EXPECT_THAT(file.error(), HasSubstr("expected 2 elements, found 1"));
  file.set("attention.recurrent_layers", FakeMetadata::Ints{0, 1});
  EXPECT_THAT(file.error(), HasSubstr("weight \"blk.0.attn_q.weight\": missing"));
}

TEST(HybridMetadata, ListsEveryWeightThatIsMissingOrMisshapen) {
  HybridFile file("qwen35");
  file.weights.erase("blk.0.ssm_a");
  file.weights.erase("blk.2.nextn.eh_proj.weight");
  file.weights.set("blk.0.ssm_conv1d.weight", {4, 80});
  file.weights.set("blk.1.attn_q.weight", {64, 64});
  EXPECT_THAT(file.error(),
              AllOf(HasSubstr("4 problems"), HasSubstr("weight \"blk.0.ssm_a\": missing"),
                    HasSubstr("weight \"blk.2.nextn.eh_proj.weight\": missing"),
                    HasSubstr("\"blk.0.ssm_conv1d.weight\": expected [80, 4], found [4, 80]"),
                    HasSubstr("\"blk.1.attn_q.weight\": expected [128, 64], found [64, 64]")));
}

TEST(HybridMetadata, UsesThePredictionLayersOwnTensorsIfItHasThem) {
  HybridFile file("qwen35");
  file.weights.set("blk.2.nextn.embed_tokens.weight", {100, 64});
  file.weights.set("blk.2.nextn.shared_head_head.weight", {100, 64});
  file.weights.set("blk.2.nextn.shared_head_norm.weight", {64});
  const BuiltModule built = file.build<architectures::Qwen35>();
  EXPECT_TRUE(unused_tensors({built.module}, file.weights).empty());
}

TEST(HybridMetadata, RefusesPredictionWhereItCannotBe) {
  HybridFile two("qwen35");
  two.set("block_count", std::int64_t{4}).set("nextn_predict_layers", std::int64_t{2});
  EXPECT_THAT(two.error(), HasSubstr("function \"mtp\": expected one prediction layer in the model "
                                     "file, found 2"));
  EXPECT_EQ(two.error({}), "no error");
  ModuleOptions segment{.functions = {"mtp"}};
  segment.last_layer = 0;
  EXPECT_THAT(HybridFile("qwen35").error(segment), HasSubstr("the segment that has the head"));
  EXPECT_THAT(HybridFile("qwen35").error({.functions = {"embed"}}),
              HasSubstr("function \"embed\": this qwen35 model has \"main\" and \"mtp\" only"));
}

TEST(ExpertMetadata, RefusesSizesOutOfBounds) {
  using architectures::Qwen35Moe;
  for (const char* key : {"expert_count", "expert_used_count", "expert_feed_forward_length"}) {
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, kHuge}) {
      EXPECT_THAT(HybridFile("qwen35moe", true).set(key, value).error<Qwen35Moe>(),
                  AllOf(HasSubstr("metadata key \"qwen35moe." + std::string(key) + "\""),
                        HasSubstr("found " + std::to_string(value))));
    }
    EXPECT_THAT(HybridFile("qwen35moe", true).erase(key).error<Qwen35Moe>(),
                HasSubstr("lacks this key"));
  }
  EXPECT_THAT(
      HybridFile("qwen35moe", true).set("expert_used_count", std::int64_t{7}).error<Qwen35Moe>(),
      HasSubstr("expected 1 to 6, found 7"));
  EXPECT_EQ(HybridFile("qwen35moe", true).erase("feed_forward_length").error<Qwen35Moe>(),
            "no error");
}

TEST(ExpertMetadata, RefusesGateAndUpInOneTensor) {
  HybridFile file("qwen35moe", true);
  file.weights.set("blk.1.ffn_gate_up_exps.weight", {6, 64, 64});
  EXPECT_THAT(file.error<architectures::Qwen35Moe>(),
              HasSubstr("tensor \"blk.1.ffn_gate_up_exps.weight\": experts whose gate and up are "
                        "one tensor are not supported"));
}

TEST(ExpertMetadata, ScalesTheChosenExperts) {
  HybridFile file("qwen35moe", true);
  file.set("expert_weights_scale", 2.5);
  const BuiltModule built = file.build<architectures::Qwen35Moe>();
  int num_routes = 0;
  for (const Node& node : built.module->functions[0].nodes) {
    if (node.op != "vernal.moe_route/1") continue;
    EXPECT_EQ(node.number("scale", 0), 2.5);
    ++num_routes;
  }
  EXPECT_GT(num_routes, 0);
}

}  // namespace
}  // namespace vernal::test
