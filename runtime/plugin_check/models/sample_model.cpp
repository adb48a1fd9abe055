#include "plugin_check/models/sample_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "vernal/error.hpp"

namespace vernal::check {
namespace {

constexpr std::int64_t kLayers = 2;
constexpr std::int64_t kWidth = 64;
constexpr std::int64_t kInner = 96;
constexpr std::int64_t kHeads = 4;
constexpr std::int64_t kKvHeads = 2;
constexpr std::int64_t kHeadSize = 16;
constexpr std::int64_t kVocabulary = 80;

// Linear attention: key heads and their size, value heads, columns of the convolution.
constexpr std::int64_t kDeltaKeyHeads = 1;
constexpr std::int64_t kDeltaKeySize = 16;
constexpr std::int64_t kDeltaValueHeads = 2;
constexpr std::int64_t kDeltaInner = 64;
constexpr std::int64_t kTaps = 4;
constexpr std::int64_t kExperts = 4;
constexpr std::int64_t kExpertSize = 32;

constexpr std::array<std::string_view, 8> kKnown{"llama",    "qwen2",  "qwen3",     "gemma3",
                                                 "qwen3moe", "qwen35", "qwen35moe", "toy"};

bool has_experts(std::string_view architecture) { return architecture.ends_with("moe"); }
bool is_hybrid(std::string_view architecture) { return architecture.starts_with("qwen35"); }
/// Every second layer of a hybrid attends.
bool is_recurrent(std::string_view architecture, std::int64_t layer) {
  return is_hybrid(architecture) && layer % 2 == 0;
}

[[noreturn]] void wrong_type(std::string_view key) {
  throw Error(VERNAL_INVALID_ARGUMENT, "metadata key \"" + std::string(key) + "\": another type");
}

/// Collects tensors of one layer or of the whole.
class Tensors {
 public:
  explicit Tensors(MadeWeights& weights) : weights_(weights), random_(11) {}
  void add(const std::string& name, const Dims& dims) {
    weights_.add(name, dims, random_, dims.size() == 1 ? 1.0 : 0.3);
  }
  void norm(const std::string& name, std::int64_t size) {
    weights_.add_values(name, {size}, random_.floats(size, 0.1, 1.0));
  }

 private:
  MadeWeights& weights_;
  RandomNumbers random_;
};

void add_feed_forward(Tensors& t, std::string_view architecture, const std::string& blk) {
  if (has_experts(architecture)) {
    t.add(blk + "ffn_gate_inp.weight", {kExperts, kWidth});
    t.add(blk + "ffn_gate_exps.weight", {kExperts, kExpertSize, kWidth});
    t.add(blk + "ffn_up_exps.weight", {kExperts, kExpertSize, kWidth});
    t.add(blk + "ffn_down_exps.weight", {kExperts, kWidth, kExpertSize});
    return;
  }
  t.add(blk + "ffn_gate.weight", {kInner, kWidth});
  t.add(blk + "ffn_up.weight", {kInner, kWidth});
  t.add(blk + "ffn_down.weight", {kWidth, kInner});
}

void add_recurrence(Tensors& t, const std::string& blk) {
  constexpr std::int64_t kChannels = 2 * kDeltaKeyHeads * kDeltaKeySize + kDeltaInner;
  t.add(blk + "attn_qkv.weight", {kChannels, kWidth});
  t.add(blk + "attn_gate.weight", {kDeltaInner, kWidth});
  t.add(blk + "ssm_beta.weight", {kDeltaValueHeads, kWidth});
  t.add(blk + "ssm_alpha.weight", {kDeltaValueHeads, kWidth});
  t.add(blk + "ssm_dt.bias", {kDeltaValueHeads});
  t.add(blk + "ssm_a", {kDeltaValueHeads});
  t.add(blk + "ssm_conv1d.weight", {kChannels, kTaps});
  t.norm(blk + "ssm_norm.weight", kDeltaInner / kDeltaValueHeads);
  t.add(blk + "ssm_out.weight", {kWidth, kDeltaInner});
}

void add_attention(Tensors& t, std::string_view architecture, const std::string& blk) {
  const std::int64_t kv = architecture == "toy" ? kHeads : kKvHeads;
  const std::int64_t gates = is_hybrid(architecture) ? 2 : 1;  // each query with its gate
  t.add(blk + "attn_q.weight", {gates * kHeads * kHeadSize, kWidth});
  t.add(blk + "attn_k.weight", {kv * kHeadSize, kWidth});
  t.add(blk + "attn_v.weight", {kv * kHeadSize, kWidth});
  t.add(blk + "attn_output.weight", {kWidth, kHeads * kHeadSize});
  if (architecture == "qwen2") {
    t.add(blk + "attn_q.bias", {kHeads * kHeadSize});
    t.add(blk + "attn_k.bias", {kv * kHeadSize});
    t.add(blk + "attn_v.bias", {kv * kHeadSize});
  }
  if (architecture.starts_with("qwen3") || architecture == "gemma3") {
    t.norm(blk + "attn_q_norm.weight", kHeadSize);
    t.norm(blk + "attn_k_norm.weight", kHeadSize);
  }
}

void add_layer(Tensors& t, std::string_view architecture, std::int64_t index) {
  const std::string blk = "blk." + std::to_string(index) + ".";
  t.norm(blk + "attn_norm.weight", kWidth);
  if (is_recurrent(architecture, index)) {
    add_recurrence(t, blk);
  } else {
    add_attention(t, architecture, blk);
  }
  const bool has_post_norm = architecture == "gemma3" || is_hybrid(architecture);
  if (has_post_norm) t.norm(blk + "post_attention_norm.weight", kWidth);
  if (!is_hybrid(architecture)) t.norm(blk + "ffn_norm.weight", kWidth);
  add_feed_forward(t, architecture, blk);
  if (architecture == "gemma3") t.norm(blk + "post_ffw_norm.weight", kWidth);
}

void add_hybrid_keys(SampleMetadata& metadata, const std::string& prefix) {
  auto& v = metadata.values;
  v[prefix + "ssm.conv_kernel"] = kTaps;
  v[prefix + "ssm.state_size"] = kDeltaKeySize;
  v[prefix + "ssm.group_count"] = kDeltaKeyHeads;
  v[prefix + "ssm.time_step_rank"] = kDeltaValueHeads;
  v[prefix + "ssm.inner_size"] = kDeltaInner;
  v[prefix + "full_attention_interval"] = std::int64_t{2};
  v[prefix + "rope.dimension_count"] = std::int64_t{8};
  v[prefix + "rope.dimension_sections"] = std::vector<std::int64_t>{2, 1, 1, 0};
}

void add_keys(SampleMetadata& metadata, const std::string& architecture) {
  auto& v = metadata.values;
  const std::string prefix = architecture + ".";
  v["general.architecture"] = architecture;
  v[prefix + "block_count"] = kLayers;
  v[prefix + "context_length"] = std::int64_t{128};
  v[prefix + "embedding_length"] = kWidth;
  v[prefix + "feed_forward_length"] = kInner;
  v[prefix + "attention.head_count"] = kHeads;
  v[prefix + "attention.head_count_kv"] = kKvHeads;
  v[prefix + "attention.key_length"] = kHeadSize;
  v[prefix + "attention.value_length"] = kHeadSize;
  v[prefix + "attention.layer_norm_rms_epsilon"] = 1e-5;
  v[prefix + "rope.freq_base"] = 10000.0;
  v[prefix + "vocab_size"] = kVocabulary;
  if (architecture == "gemma3") {
    v[prefix + "attention.sliding_window"] = std::int64_t{8};
    v[prefix + "attention.sliding_window_pattern"] = std::int64_t{2};
  }
  if (has_experts(architecture)) {
    v[prefix + "expert_count"] = kExperts;
    v[prefix + "expert_used_count"] = std::int64_t{2};
    v[prefix + "expert_feed_forward_length"] = kExpertSize;
  }
  if (is_hybrid(architecture)) add_hybrid_keys(metadata, prefix);
}

}  // namespace

std::optional<std::int64_t> SampleMetadata::find_integer(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<std::int64_t>(&found->second)) return *value;
  wrong_type(key);
}

std::optional<double> SampleMetadata::find_float(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<double>(&found->second)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&found->second)) {
    return static_cast<double>(*value);
  }
  wrong_type(key);
}

std::optional<bool> SampleMetadata::find_bool(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<bool>(&found->second)) return *value;
  wrong_type(key);
}

std::optional<std::string_view> SampleMetadata::find_string(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<std::string>(&found->second)) return *value;
  wrong_type(key);
}

std::optional<std::uint64_t> SampleMetadata::find_array(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&found->second)) {
    return ints->size();
  }
  if (const auto* floats = std::get_if<std::vector<double>>(&found->second)) return floats->size();
  wrong_type(key);
}

std::optional<std::int64_t> SampleMetadata::find_array_integer(std::string_view key,
                                                               std::uint64_t index) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  const auto* ints = std::get_if<std::vector<std::int64_t>>(&found->second);
  if (ints == nullptr || index >= ints->size()) wrong_type(key);
  return (*ints)[index];
}

std::optional<double> SampleMetadata::find_array_float(std::string_view key,
                                                       std::uint64_t index) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  const auto* floats = std::get_if<std::vector<double>>(&found->second);
  if (floats == nullptr) {
    return static_cast<double>(find_array_integer(key, index).value());
  }
  if (index >= floats->size()) wrong_type(key);
  return (*floats)[index];
}

std::optional<SampleModel> sample_model(std::string_view architecture) {
  if (std::ranges::find(kKnown, architecture) == kKnown.end()) return std::nullopt;
  SampleModel model;
  add_keys(model.metadata, std::string(architecture));
  Tensors tensors(model.weights);
  tensors.add("token_embd.weight", {kVocabulary, kWidth});
  tensors.norm("output_norm.weight", kWidth);
  for (std::int64_t i = 0; i < kLayers; ++i) add_layer(tensors, architecture, i);
  return model;
}

std::optional<std::string> sample_architecture(const plugin::Manifest& manifest) {
  for (const std::string& name : manifest.provides) {
    if (std::ranges::find(kKnown, name) != kKnown.end()) return name;
  }
  return std::nullopt;
}

}  // namespace vernal::check
