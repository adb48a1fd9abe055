#include "decoder_config.hpp"

#include <algorithm>
#include <cmath>

namespace vernal::architectures {
namespace {

// Far above any model, and far below sizes that overflow a product or fill the memory with nodes.
constexpr IntRange kLayers{1, 1024};
constexpr IntRange kHidden{1, 1 << 20};
constexpr IntRange kFeedForward{1, 1 << 24};
constexpr IntRange kHeads{1, 1 << 16};
constexpr IntRange kHeadSize{1, 1 << 16};
constexpr IntRange kContext{1, std::int64_t{1} << 40};

void read_attention(const Metadata& metadata, DecoderConfig& c) {
  c.num_heads = metadata.require_int(c.key("attention.head_count"), kHeads);
  const std::string kv_key = c.key("attention.head_count_kv");
  c.num_kv_heads = metadata.find_int(kv_key, kHeads).value_or(c.num_heads);
  if (c.num_heads % c.num_kv_heads != 0) {
    refuse_key(kv_key, "expected a divisor of " + std::to_string(c.num_heads) + " heads, found " +
                           std::to_string(c.num_kv_heads));
  }
  const auto key_size = metadata.find_int(c.key("attention.key_length"), kHeadSize);
  if (!key_size && c.hidden_size % c.num_heads != 0) {
    refuse_key(c.key("attention.head_count"), "expected a divisor of the embedding length " +
                                                  std::to_string(c.hidden_size) + ", found " +
                                                  std::to_string(c.num_heads));
  }
  c.key_size = key_size.value_or(c.hidden_size / c.num_heads);
  c.value_size = metadata.find_int(c.key("attention.value_length"), kHeadSize).value_or(c.key_size);
  const double scale = metadata.find_float(c.key("attention.scale"), {0, 1e6}).value_or(0);
  c.attention_scale = scale > 0 ? scale : 1 / std::sqrt(static_cast<double>(c.key_size));
}

}  // namespace

void refuse_key(const std::string& key, const std::string& what) {
  throw Error(VERNAL_INVALID_ARGUMENT, "metadata key \"" + key + "\": " + what);
}

DecoderConfig read_decoder_config(const Metadata& metadata, std::string_view prefix,
                                  FeedForward feed_forward) {
  DecoderConfig c;
  c.prefix = prefix;
  c.num_layers = metadata.require_int(c.key("block_count"), kLayers);
  c.hidden_size = metadata.require_int(c.key("embedding_length"), kHidden);
  c.feed_forward_size = feed_forward == FeedForward::kDense
                            ? metadata.require_int(c.key("feed_forward_length"), kFeedForward)
                            : 0;
  c.context_length = metadata.require_int(c.key("context_length"), kContext);
  c.norm_eps = metadata.require_float(c.key("attention.layer_norm_rms_epsilon"), {0, 1});
  read_attention(metadata, c);

  const auto embedding = metadata.find_tensor("token_embd.weight");
  if (!embedding)
    throw Error(VERNAL_NOT_FOUND, "tensor \"token_embd.weight\": the model file lacks it");
  if (embedding->shape.rank != 2 || embedding->shape[1] != c.hidden_size) {
    throw Error(VERNAL_INVALID_ARGUMENT, "tensor \"token_embd.weight\": expected [vocabulary, " +
                                             std::to_string(c.hidden_size) + "], found " +
                                             shape_text(embedding->shape));
  }
  c.vocabulary_size = embedding->shape[0];
  c.is_tied = !metadata.has_tensor("output.weight");
  return c;
}

std::string describe_decoder(const DecoderConfig& c) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += std::string(name) + " = " + value + "\n";
  };
  line("layers", std::to_string(c.num_layers));
  line("hidden_size", std::to_string(c.hidden_size));
  if (c.feed_forward_size > 0) line("feed_forward_size", std::to_string(c.feed_forward_size));
  line("heads", std::to_string(c.num_heads));
  line("kv_heads", std::to_string(c.num_kv_heads));
  line("key_size", std::to_string(c.key_size));
  line("value_size", std::to_string(c.value_size));
  line("vocabulary_size", std::to_string(c.vocabulary_size));
  line("context_length", std::to_string(c.context_length));
  line("tied_head", c.is_tied ? "yes" : "no");
  return text;
}

Probe probe_architecture_name(const Metadata& metadata, std::string_view name) {
  const std::string found = metadata.require_string("general.architecture");
  return {found == name ? 100U : 0U, "general.architecture is \"" + found + "\""};
}

LayerRange read_layer_range(const DecoderConfig& config, const BuildOptions& options,
                            std::span<const std::string_view> others) {
  for (const std::string& function : options.functions) {
    if (function == "main" || std::ranges::find(others, function) != others.end()) continue;
    std::string known = "\"main\"";
    for (const std::string_view other : others) known += " and \"" + std::string(other) + "\"";
    throw Error(VERNAL_UNSUPPORTED, "function \"" + function + "\": this " + config.prefix +
                                        " model has " + known + " only");
  }
  LayerRange range;
  const std::int64_t end = config.num_layers - 1;
  range.first = options.first_layer;
  range.last = options.last_layer == -1 ? end : options.last_layer;
  if (range.first < 0 || range.first > range.last || range.last > end) {
    throw Error(VERNAL_INVALID_ARGUMENT, "layers " + std::to_string(range.first) + " to " +
                                             std::to_string(range.last) + ": the model has 0 to " +
                                             std::to_string(end));
  }
  range.has_embedding = range.first == 0;
  range.has_head = range.last == end;
  return range;
}

}  // namespace vernal::architectures
