// The hyperparameters of Gemma 3 that other decoders do not have.
#pragma once

#include <cstdint>
#include <vector>

#include "decoder_config.hpp"

namespace vernal::architectures {

struct Gemma3Config {
  DecoderConfig decoder;
  std::int64_t window = 0;     // of local layers, in positions; 0: no layer is local
  std::vector<bool> is_local;  // by layer
  RopeOptions global_rope;
  RopeOptions local_rope;  // has a base of its own, and is never scaled
  double embedding_scale = 1;
  double final_softcap = 0;  // 0: off
};

/// Errors   INVALID_ARGUMENT or NOT_FOUND; the message names the key
Gemma3Config read_gemma3_config(const Metadata& metadata);

}  // namespace vernal::architectures
