// What Gemma 3 has beside the hyperparameters of every decoder.
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
  RopeOptions local_rope;  // its own base, never scaled
  double embedding_scale = 1;
  double final_softcap = 0;  // 0: off
};

/// Errors   INVALID_ARGUMENT or NOT_FOUND, naming the key.
Gemma3Config read_gemma3_config(const Metadata& metadata);

}  // namespace vernal::architectures
