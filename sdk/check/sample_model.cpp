#include "sample_model.hpp"

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

constexpr std::array<std::string_view, 5> kKnown{"llama", "qwen2", "qwen3", "gemma3", "toy"};

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

void add_layer(Tensors& t, std::string_view architecture, std::int64_t index) {
  const std::string blk = "blk." + std::to_string(index) + ".";
  const bool is_toy = architecture == "toy";
  const std::int64_t kv = is_toy ? kHeads : kKvHeads;
  t.norm(blk + "attn_norm.weight", kWidth);
  t.norm(blk + "ffn_norm.weight", kWidth);
  t.add(blk + "attn_q.weight", {kHeads * kHeadSize, kWidth});
  t.add(blk + "attn_k.weight", {kv * kHeadSize, kWidth});
  t.add(blk + "attn_v.weight", {kv * kHeadSize, kWidth});
  t.add(blk + "attn_output.weight", {kWidth, kHeads * kHeadSize});
  t.add(blk + "ffn_gate.weight", {kInner, kWidth});
  t.add(blk + "ffn_up.weight", {kInner, kWidth});
  t.add(blk + "ffn_down.weight", {kWidth, kInner});
  if (architecture == "qwen2") {
    t.add(blk + "attn_q.bias", {kHeads * kHeadSize});
    t.add(blk + "attn_k.bias", {kv * kHeadSize});
    t.add(blk + "attn_v.bias", {kv * kHeadSize});
  }
  if (architecture == "qwen3" || architecture == "gemma3") {
    t.norm(blk + "attn_q_norm.weight", kHeadSize);
    t.norm(blk + "attn_k_norm.weight", kHeadSize);
  }
  if (architecture == "gemma3") {
    t.norm(blk + "post_attention_norm.weight", kWidth);
    t.norm(blk + "post_ffw_norm.weight", kWidth);
  }
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
