// What a shape file asks `vernal make-model` for: docs/make-model.md explains every key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "vernal/block_types.hpp"

namespace vernal {

/// What sets the architectures apart, as far as their files differ.
struct ModelFamily {
  std::string_view architecture;
  bool has_biases;      // of queries, keys and values
  bool has_head_norms;  // of queries and keys
  bool has_post_norms;  // and a window
  bool has_experts;
  bool is_hybrid;
  double rope_base;  // if the shape does not say
};

/// The family of that architecture, or null. Static storage.
const ModelFamily* find_model_family(std::string_view architecture) noexcept;

/// A gated delta net of hybrid models.
struct DeltaNetShape {
  std::int64_t key_heads = 0;
  std::int64_t value_heads = 0;
  std::int64_t head_size = 128;
  std::int64_t conv_width = 4;
  std::int64_t attention_interval = 4;  // every so manieth layer attends
  std::int64_t prediction_layers = 0;   // behind the others: 0 or 1

  std::int64_t inner_size() const noexcept { return value_heads * head_size; }
  std::int64_t channels() const noexcept { return 2 * key_heads * head_size + inner_size(); }
};

struct ExpertShape {
  std::int64_t count = 0;
  std::int64_t used = 0;
  std::int64_t size = 0;
  std::int64_t shared_size = 0;  // hybrids only
};

struct ModelShape {
  const ModelFamily* family = nullptr;  // never null once read
  std::string name;
  std::uint64_t seed = 1;
  std::filesystem::path tokenizer;  // GGUF file whose tokenizer is cut
  std::uint64_t num_tokens = 0;     // 0: as many as it has

  std::int64_t layers = 0;  // without prediction layers
  std::int64_t hidden_size = 0;
  std::int64_t feed_forward_size = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t rotated_size = 0;  // of each head
  std::int64_t context_length = 4096;
  std::int64_t window = 0;  // of local layers; 0: none
  double rope_base = 0;
  double norm_eps = 1e-6;
  bool tied_head = false;
  DeltaNetShape delta_net;
  ExpertShape experts;

  const BlockType* default_type = nullptr;
  std::map<std::string, const BlockType*, std::less<>> types;  // by stem, where it differs

  bool is_recurrent(std::int64_t layer) const noexcept {
    return family->is_hybrid && layer < layers && (layer + 1) % delta_net.attention_interval != 0;
  }
  std::int64_t all_layers() const noexcept { return layers + delta_net.prediction_layers; }
};

/// Reads and validates a shape file. Throws one Error(INVALID_ARGUMENT) with all problems, a line
/// each: `file:line:column: what, what was expected, did you mean`.
ModelShape read_model_shape(const std::filesystem::path& file);

}  // namespace vernal
