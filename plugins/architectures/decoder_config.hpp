// Hyperparameters that decoder-only transformers share, read from a model file's metadata.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Sizes and constants of a decoder. All positive and bounded, so that products of any two fit into
/// int64.
struct DecoderConfig {
  std::string prefix;  // of the keys: "llama"
  std::int64_t num_layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t feed_forward_size = 0;  // 0: a model of experts need not say it
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;  // divides num_heads
  std::int64_t key_size = 0;      // of a head
  std::int64_t value_size = 0;    // of a head
  std::int64_t vocabulary_size = 0;
  std::int64_t context_length = 0;  // trained
  double norm_eps = 0;
  double attention_scale = 0;
  bool is_tied = false;  // the head is the embedding

  std::string key(std::string_view name) const { return prefix + "." + std::string(name); }
};

/// What stands behind the attention of each layer.
enum class FeedForward { kDense, kExperts };

/// Reads and checks "PREFIX.block_count" and its siblings. Errors   INVALID_ARGUMENT or NOT_FOUND,
/// naming the key.
DecoderConfig read_decoder_config(const Metadata& metadata, std::string_view prefix,
                                  FeedForward feed_forward = FeedForward::kDense);

/// Lines "name = value".
std::string describe_decoder(const DecoderConfig& config);

/// 100 if the file's general.architecture is `name`.
Probe probe_architecture_name(const Metadata& metadata, std::string_view name);

/// The layers of one build: the whole model, or a segment of it.
struct LayerRange {
  std::int64_t first = 0;  // inclusive
  std::int64_t last = 0;   // inclusive
  bool has_embedding = true;
  bool has_head = true;
};

/// Errors   INVALID_ARGUMENT: layers that the model does not have; UNSUPPORTED: a function other
/// than "main" and `others`.
LayerRange read_layer_range(const DecoderConfig& config, const BuildOptions& options,
                            std::span<const std::string_view> others = {});

/// Throws Error(INVALID_ARGUMENT): metadata key "KEY": `what`.
[[noreturn]] void refuse_key(const std::string& key, const std::string& what);

}  // namespace vernal::architectures
