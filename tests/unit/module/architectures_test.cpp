// What the architectures read from small model files, and what they build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "gemma3/gemma3.hpp"
#include "llama/llama.hpp"
#include "module/build_module.hpp"
#include "module/gguf_source.hpp"
#include "module/printer.hpp"
#include "module/verifier.hpp"
#include "qwen2/qwen2.hpp"
#include "qwen3/qwen3.hpp"
#include "qwen35/qwen35.hpp"
#include "qwen35moe/qwen35moe.hpp"
#include "qwen3moe/qwen3moe.hpp"

namespace vernal::test {
namespace {

using architectures::Gemma3;
using architectures::Llama;
using architectures::Qwen2;
using architectures::Qwen3;
using architectures::Qwen35;
using architectures::Qwen35Moe;
using architectures::Qwen3Moe;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class T>
ArchitecturePlugin plugin(const std::string& name) {
  return {name, architecture_table<T>(), [] {
            const std::string text = plugin_host().last_error();
            plugin_host().set_error(VERNAL_OK, {});
            return text;
          }};
}

/// One file, opened.
struct ModelFile {
  explicit ModelFile(const std::filesystem::path& path)
      : file(GgufFile::open(path)), metadata(file), weights(file) {}
  ArchitectureInput description() const { return {metadata, weights}; }

  GgufFile file;
  GgufMetadataSource metadata;
  GgufWeightDirectory weights;
};

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(VERNAL_GOLDEN_DIR) / "models" / (name + ".gguf");
}

/// A file of the larger reference set; empty if this machine does not have it.
std::filesystem::path reference(const std::string& name) {
  const auto path = std::filesystem::path(VERNAL_REFERENCE_DIR) / "models" / (name + ".gguf");
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

/// How often a function has each operation.
std::map<std::string, int> count_ops(const Module& module, std::size_t function = 0) {
  std::map<std::string, int> counts;
  for (const Node& node : module.functions.at(function).nodes) ++counts[node.op];
  return counts;
}

const Node& node_at(const Module& module, std::string_view path) {
  for (const Node& node : module.functions.at(0).nodes) {
    if (node.path == path) return node;
  }
  throw std::runtime_error("no node " + std::string(path));
}

TEST(LlamaArchitecture, BuildsTinyLlama) {
  const ModelFile model(golden("tiny-llama"));
  const auto llama = plugin<Llama>("llama");
  EXPECT_EQ(probe_architecture(llama, model.description()).score, 100U);
  EXPECT_THAT(describe_architecture(llama, model.description()), HasSubstr("kv_heads = 2\n"));
  const BuiltModule built = build_module(llama, model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  EXPECT_EQ(module.states.size(), 3U);
  auto counts = count_ops(module);
  EXPECT_EQ(counts["vernal.linear/1"], 3 * 7 + 1);
  EXPECT_EQ(counts["vernal.attention/1"], 3);
  EXPECT_EQ(counts["vernal.rope/1"], 6);
  EXPECT_EQ(node_at(module, "blk.0.rope").text("style", ""), "interleaved");
  EXPECT_EQ(node_at(module, "blk.0.rope").number("base", 0), 500000);
  EXPECT_EQ(node_at(module, "blk.1.attention").number("scale", 0), 0.125);
  EXPECT_EQ(node_at(module, "output").text("out", ""), "f32");
}

TEST(LlamaArchitecture, KeepsTheResidualStreamInF32) {
  const ModelFile model(golden("tiny-llama"));
  const BuiltModule built = build_module(plugin<Llama>("llama"), model.description(), {});
  const Function& main = built.module->functions[0];
  int num_sums = 0;
  for (const Node& node : main.nodes) {
    if (node.op != "vernal.add/1" && node.op != "vernal.embed/1") continue;
    EXPECT_EQ(main.values[node.outputs[0]].element, VERNAL_ELEMENT_F32) << node.path;
    num_sums += node.op == "vernal.add/1" ? 1 : 0;
  }
  EXPECT_EQ(num_sums, 6);  // two in each of three layers
}

TEST(LlamaArchitecture, BuildsTheSameGraphOverQuantisedWeights) {
  const ModelFile plain(golden("tiny-llama"));
  const ModelFile quantised(golden("tiny-llama-q4_k_m"));
  const auto llama = plugin<Llama>("llama");
  const auto a = build_module(llama, plain.description(), {});
  const auto b = build_module(llama, quantised.description(), {});
  EXPECT_EQ(count_ops(*a.module), count_ops(*b.module));
  EXPECT_NE(a.module->fingerprint, b.module->fingerprint);
  EXPECT_THAT(dump_module(*b.module), HasSubstr("ggml.q4_k/1"));
}

TEST(LlamaArchitecture, CutsTheModelIntoSegments) {
  const ModelFile model(golden("tiny-llama"));
  const auto llama = plugin<Llama>("llama");
  const auto segment = [&](std::int64_t first, std::int64_t last) {
    ModuleOptions options;
    options.first_layer = first;
    options.last_layer = last;
    return build_module(llama, model.description(), options).module;
  };
  const auto head = segment(0, 0);
  const auto middle = segment(1, 1);
  const auto tail = segment(2, 2);
  EXPECT_EQ(node_at(*head, "token_embd").op, "vernal.embed/1");
  EXPECT_EQ(node_at(*head, "hidden").text("rows", ""), "all");
  EXPECT_EQ(node_at(*middle, "hidden").op, "vernal.input/1");
  EXPECT_EQ(node_at(*middle, "hidden.2").op, "vernal.output/1");
  EXPECT_EQ(node_at(*middle, "blk.1.attn_q").op, "vernal.linear/1");
  EXPECT_EQ(node_at(*tail, "logits").op, "vernal.output/1");
  EXPECT_EQ(middle->states[0].layer, 1);
  EXPECT_THAT(unused_tensors({head, middle, tail}, model.weights), IsEmpty());
  EXPECT_THROW(segment(2, 1), Error);
  EXPECT_THROW(segment(0, 3), Error);
  EXPECT_THROW(segment(-1, 2), Error);
}

TEST(Qwen2Architecture, BuildsTinyQwen2WithBiasesAndATiedHead) {
  const ModelFile model(golden("tiny-qwen2"));
  const BuiltModule built = build_module(plugin<Qwen2>("qwen2"), model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  EXPECT_EQ(node_at(module, "blk.2.attn_q").operands.size(), 3U);
  EXPECT_EQ(node_at(module, "blk.2.attn_output").operands.size(), 2U);
  EXPECT_EQ(node_at(module, "blk.0.rope").text("style", ""), "neox");
  EXPECT_EQ(module.weights[node_at(module, "output").operands[1].index].name, "token_embd.weight");
  EXPECT_EQ(module.weights[node_at(module, "output").operands[1].index].num_uses, 2U);
}

TEST(Qwen3Architecture, BuildsTinyQwen3WithNormsOnHeads) {
  const auto path = reference("tiny-qwen3");
  if (path.empty()) GTEST_SKIP() << "the larger reference set is not here";
  const ModelFile model(path);
  const BuiltModule built = build_module(plugin<Qwen3>("qwen3"), model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  const Node& norm = node_at(module, "blk.0.attn_q_norm");
  EXPECT_EQ(norm.op, "vernal.rmsnorm/1");
  EXPECT_EQ(module.functions[0].values[norm.outputs[0]].shape.dims[2], 128);
  EXPECT_EQ(count_ops(module)["vernal.rmsnorm/1"], 3 * 4 + 1);
}

TEST(Gemma3Architecture, BuildsTinyGemma3WithWindowsAndTwoBases) {
  const ModelFile model(golden("tiny-gemma3"));
  const BuiltModule built = build_module(plugin<Gemma3>("gemma3"), model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  std::vector<std::int64_t> windows;
  for (const State& state : module.states) windows.push_back(state.window);
  EXPECT_THAT(windows, ::testing::ElementsAre(16, 16, 16, 16, 16, 0, 16));
  EXPECT_EQ(node_at(module, "blk.4.rope").number("base", 0), 10000);
  EXPECT_EQ(node_at(module, "blk.5.rope").number("base", 0), 1000000);
  EXPECT_EQ(node_at(module, "token_embd").number("scale", 0), 16);
  EXPECT_EQ(node_at(module, "blk.0.glu").text("kind", ""), "geglu_tanh");
  EXPECT_EQ(node_at(module, "blk.0.attention").number("scale", 0), 0.125);
  EXPECT_EQ(count_ops(module)["vernal.rmsnorm/1"], 7 * 6 + 1);
  EXPECT_EQ(count_ops(module)["vernal.softcap/1"], 0);
}

TEST(Qwen3MoeArchitecture, BuildsTinyQwen3MoeWithExperts) {
  const auto path = reference("tiny-qwen3moe");
  if (path.empty()) GTEST_SKIP() << "the larger reference set is not here";
  const ModelFile model(path);
  const auto qwen3moe = plugin<Qwen3Moe>("qwen3moe");
  EXPECT_THAT(describe_architecture(qwen3moe, model.description()), HasSubstr("experts_used = 2"));
  const BuiltModule built = build_module(qwen3moe, model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  EXPECT_EQ(count_ops(module)["vernal.moe_glu/1"], 3);
  EXPECT_EQ(node_at(module, "blk.2.moe_route").integer("renorm", 0), 1);
}

TEST(Qwen35Architecture, BuildsThreeDeltaNetsForEachAttention) {
  const ModelFile model(golden("tiny-qwen35-iq4_ks"));
  const auto qwen35 = plugin<Qwen35>("qwen35");
  EXPECT_THAT(describe_architecture(qwen35, model.description()),
              HasSubstr("recurrent_layers = 3\nprediction_layers = 0\n"));
  const BuiltModule built = build_module(qwen35, model.description(), {});
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  auto counts = count_ops(module);
  EXPECT_EQ(counts["vernal.gated_delta_rule/1"], 3);
  EXPECT_EQ(counts["vernal.conv1d_state/1"], 3);
  EXPECT_EQ(counts["vernal.attention/1"], 1);
  EXPECT_EQ(module.states.size(), 7U);
  EXPECT_EQ(node_at(module, "blk.0.gated_delta_rule").text("head_map", ""), "tiled");
  EXPECT_EQ(node_at(module, "blk.3.rope").integer("n_rot", 0), 64);
  EXPECT_EQ(node_at(module, "blk.3.attention").number("scale", 0), 1.0 / 16);
  EXPECT_EQ(node_at(module, "blk.0.ssm_alpha").text("out", ""), "f32");
}

TEST(Qwen35Architecture, CutsTheModelIntoSegments) {
  const ModelFile model(golden("tiny-qwen35-iq4_ks"));
  const auto segment = [&](std::int64_t first, std::int64_t last) {
    ModuleOptions options;
    options.first_layer = first;
    options.last_layer = last;
    return build_module(plugin<Qwen35>("qwen35"), model.description(), options).module;
  };
  const auto begin = segment(0, 1);
  const auto end = segment(2, 3);
  EXPECT_EQ(count_ops(*begin)["vernal.gated_delta_rule/1"], 2);
  EXPECT_EQ(count_ops(*end)["vernal.attention/1"], 1);
  EXPECT_THAT(unused_tensors({begin, end}, model.weights), IsEmpty());
}

TEST(Qwen35Architecture, BuildsThePredictionLayerAsAFunctionOfItsOwn) {
  const auto path = reference("tiny-qwen35-mtp");
  if (path.empty()) GTEST_SKIP() << "the larger reference set is not here";
  const ModelFile model(path);
  const auto qwen35 = plugin<Qwen35>("qwen35");
  const BuiltModule main_only = build_module(qwen35, model.description(), {});
  EXPECT_EQ(main_only.module->functions.size(), 1U);
  EXPECT_EQ(main_only.module->states.size(), 7U);
  ModuleOptions options;
  options.functions = {"mtp"};
  const BuiltModule built = build_module(qwen35, model.description(), options);
  const Module& module = *built.module;
  EXPECT_THAT(verify_module(module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  ASSERT_EQ(module.functions.size(), 2U);
  EXPECT_EQ(module.functions[1].name, "mtp");
  EXPECT_EQ(module.states.back().function, 1U);
  EXPECT_EQ(module.states.back().layer, 4);
  EXPECT_EQ(count_ops(module, 0)["vernal.output/1"], 2);
  EXPECT_EQ(count_ops(module, 1)["vernal.attention/1"], 1);
}

TEST(Qwen35Architecture, RefusesAFunctionTheFileHasNoLayerFor) {
  const ModelFile model(golden("tiny-qwen35-iq4_ks"));
  ModuleOptions options;
  options.functions = {"mtp"};
  try {
    build_module(plugin<Qwen35>("qwen35"), model.description(), options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
    EXPECT_THAT(error.what(), HasSubstr("function \"mtp\": this qwen35 model has \"main\" only"));
  }
}

TEST(Qwen35MoeArchitecture, BuildsTinyQwen35MoeWithASharedExpert) {
  const auto path = reference("tiny-qwen35moe");
  if (path.empty()) GTEST_SKIP() << "the larger reference set is not here";
  const ModelFile model(path);
  const auto qwen35moe = plugin<Qwen35Moe>("qwen35moe");
  EXPECT_THAT(describe_architecture(qwen35moe, model.description()),
              HasSubstr("shared_expert_size = 256"));
  const BuiltModule built = build_module(qwen35moe, model.description(), {});
  EXPECT_THAT(verify_module(*built.module), IsEmpty());
  EXPECT_THAT(unused_tensors({built.module}, model.weights), IsEmpty());
  EXPECT_EQ(count_ops(*built.module)["vernal.moe_route/1"], 4);
  EXPECT_EQ(node_at(*built.module, "blk.0.ffn_gate_inp_shexp").text("out", ""), "f32");
}

TEST(Architectures, GiveTheFingerprintsTheyAlwaysGave) {
  // The fingerprint of the module's text. If it changes, every stored snapshot of such a model is
  // refused; so change it only on purpose.
  const auto fingerprint = [](const ArchitecturePlugin& plugin, const std::string& name) {
    const ModelFile model(golden(name));
    return fingerprint_text(build_module(plugin, model.description(), {}).module->fingerprint);
  };
  EXPECT_EQ(fingerprint(plugin<Llama>("llama"), "tiny-llama"),
            "e60958bec09524d032486a5b193d4fc40fe1aba451d272bef55846c9fa2c4242");
  EXPECT_EQ(fingerprint(plugin<Llama>("llama"), "tiny-llama-q4_k_m"),
            "c6ea64c21e6b46a234aefdaa5546538a5209a8d439f6053fa0d7c1e0c24d9fd8");
  EXPECT_EQ(fingerprint(plugin<Qwen2>("qwen2"), "tiny-qwen2"),
            "504e7f8f1027fd9825d458b30950758bf336c87b6d4b0e1b150fc5f2098fe834");
  EXPECT_EQ(fingerprint(plugin<Qwen35>("qwen35"), "tiny-qwen35-iq4_ks"),
            "103924696ee45acecfa0e5fde8f64f20a4c69cd0c599ec338762f8f2d4f0043d");
  EXPECT_EQ(fingerprint(plugin<Gemma3>("gemma3"), "tiny-gemma3"),
            "fc991e2d100ebeab0c9c842166759cf1b1959f53733dea299f362674ba69a89e");
}

TEST(Architectures, RefuseFilesOfOthers) {
  const ModelFile model(golden("tiny-qwen2"));
  EXPECT_EQ(probe_architecture(plugin<Llama>("llama"), model.description()).score, 0U);
  EXPECT_EQ(probe_architecture(plugin<Qwen3>("qwen3"), model.description()).score, 0U);
  EXPECT_EQ(probe_architecture(plugin<Gemma3>("gemma3"), model.description()).score, 0U);
  EXPECT_EQ(probe_architecture(plugin<Qwen2>("qwen2"), model.description()).reason,
            "general.architecture is \"qwen2\"");
}

}  // namespace
}  // namespace vernal::test
