#include "gemma3_config.hpp"

#include <cmath>

#include "rope_config.hpp"

namespace vernal::architectures {
namespace {

/// Every sixth layer is global; the five before it are local.
constexpr std::int64_t kPattern = 6;

/// The number of layers of the 27B model. Its queries are scaled by the width of the model divided
/// by the number of heads; those of all other sizes are scaled by the size of a head.
constexpr std::int64_t kLayersOf27B = 62;

std::vector<bool> read_pattern(const Metadata& metadata, const DecoderConfig& c) {
  const std::string key = c.key("attention.sliding_window_pattern");
  const auto num_layers = static_cast<std::size_t>(c.num_layers);
  std::vector<bool> is_local(num_layers);
  if (metadata.is_array(key)) {
    const auto stored = metadata.find_ints(key);
    if (stored->size() != num_layers) {
      refuse_key(key, "expected " + std::to_string(num_layers) + " elements, found " +
                          std::to_string(stored->size()));
    }
    for (std::size_t i = 0; i < num_layers; ++i) is_local[i] = (*stored)[i] != 0;
    return is_local;
  }
  const auto pattern =
      static_cast<std::size_t>(metadata.find_int(key, {1, 1024}).value_or(kPattern));
  for (std::size_t i = 0; i < num_layers; ++i) is_local[i] = i % pattern != pattern - 1;
  return is_local;
}

}  // namespace

Gemma3Config read_gemma3_config(const Metadata& metadata) {
  Gemma3Config g;
  g.decoder = read_decoder_config(metadata, "gemma3");
  DecoderConfig& c = g.decoder;
  const auto hidden_size = static_cast<double>(c.hidden_size);
  if (c.num_layers == kLayersOf27B && !metadata.find_float(c.key("attention.scale"))) {
    c.attention_scale = 1 / std::sqrt(hidden_size / static_cast<double>(c.num_heads));
  }
  g.window = metadata.find_int(c.key("attention.sliding_window"), {0, 1 << 30}).value_or(0);
  g.is_local.assign(static_cast<std::size_t>(c.num_layers), false);
  if (g.window > 0) g.is_local = read_pattern(metadata, c);
  g.global_rope = read_rope(metadata, c, "neox", 1000000);
  g.local_rope = g.global_rope;
  g.local_rope.base = metadata.find_float(c.key("rope.freq_base_swa"), {2, 1e15}).value_or(10000);
  g.local_rope.scaling = RopeScaling{};
  g.embedding_scale = std::sqrt(hidden_size);
  g.final_softcap = metadata.find_float(c.key("final_logit_softcapping"), {0, 1e6}).value_or(0);
  return g;
}

}  // namespace vernal::architectures
