// The hyperparameters of decoders that mix gated delta nets with gated attention.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decoder_config.hpp"

namespace vernal::architectures {

/// The sizes of a gated delta net. They are positive and bounded.
struct DeltaNetConfig {
  std::int64_t key_heads = 0;
  std::int64_t value_heads = 0;  // a multiple of key_heads
  std::int64_t key_size = 0;     // of a head
  std::int64_t value_size = 0;   // of a head
  std::int64_t conv_width = 0;

  /// The number of channels of the convolution, which runs over q, k and v.
  std::int64_t channels() const { return 2 * key_heads * key_size + value_heads * value_size; }
};

struct HybridConfig {
  DecoderConfig decoder;  // num_layers are those of "main"
  DeltaNetConfig delta_net;
  RopeOptions rope;
  std::vector<bool> is_recurrent;          // by layer of "main"
  std::int64_t num_prediction_layers = 0;  // after those of "main" in the file
};

/// Reads the keys of a decoder, the keys "PREFIX.ssm.*", which layers are recurrent, and the
/// rotation.
/// Errors   INVALID_ARGUMENT or NOT_FOUND; the message names the key
HybridConfig read_hybrid_config(const Metadata& metadata, std::string_view prefix,
                                FeedForward feed_forward);

/// The hyperparameters as lines "name = value".
std::string describe_hybrid(const HybridConfig& config);

}  // namespace vernal::architectures
