// The hyperparameters that decoder-only transformers share, and how they are read from the metadata
// of a model file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Sizes and constants of a decoder. Sizes are positive and bounded, so that the product of two of
/// them fits in an int64.
struct DecoderConfig {
  std::string prefix;  // of the metadata keys: "llama"
  std::int64_t num_layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t feed_forward_size = 0;  // 0: a model with experts does not say it
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;  // divides num_heads
  std::int64_t key_size = 0;      // of a head
  std::int64_t value_size = 0;    // of a head
  std::int64_t vocabulary_size = 0;
  std::int64_t context_length = 0;  // positions that the model was trained with
  double norm_eps = 0;
  double attention_scale = 0;
  bool is_tied = false;  // the output head is the embedding

  std::string key(std::string_view name) const { return prefix + "." + std::string(name); }
};

/// What follows the attention in each layer.
enum class FeedForward { kDense, kExperts };

/// Reads and checks "PREFIX.block_count" and the other keys of a decoder.
/// Errors   INVALID_ARGUMENT or NOT_FOUND; the message names the key
DecoderConfig read_decoder_config(const Metadata& metadata, std::string_view prefix,
                                  FeedForward feed_forward = FeedForward::kDense);

/// The hyperparameters as lines "name = value".
std::string describe_decoder(const DecoderConfig& config);

/// A score of 100 if general.architecture of the file is `name`, else 0.
Probe probe_architecture_name(const Metadata& metadata, std::string_view name);

/// The layers of one build: the whole model, or a segment of it.
struct LayerRange {
  std::int64_t first = 0;  // inclusive
  std::int64_t last = 0;   // inclusive
  bool has_embedding = true;
  bool has_head = true;
};

/// The layers that the options want.
/// Errors   INVALID_ARGUMENT: the model does not have these layers
///          UNSUPPORTED: a function other than "main" and `others`
LayerRange read_layer_range(const DecoderConfig& config, const BuildOptions& options,
                            std::span<const std::string_view> others = {});

/// Throws Error(INVALID_ARGUMENT) with the message: metadata key "KEY": `what`.
[[noreturn]] void refuse_key(const std::string& key, const std::string& what);

}  // namespace vernal::architectures
