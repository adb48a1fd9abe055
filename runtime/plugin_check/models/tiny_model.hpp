// Small whole models made up for tests: embedding, two or three layers, head.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin_check/models/made_module.hpp"
#include "plugin_check/subject/machine.hpp"

namespace vernal::check {

/// What the layers remember.
enum class Memory {
  kFull,    ///< keys and values of all positions
  kWindow,  ///< of the last kWindow positions
  kMixed,   ///< a layer of all positions, one of the last kWindow, one of the last kWideWindow
  kHybrid,  ///< one layer keys and values, one a matrix and a convolution (level 1)
};

inline constexpr std::int64_t kWindow = 8;
inline constexpr std::int64_t kWideWindow = 24;
inline constexpr std::int64_t kVocabulary = 80;
inline constexpr std::int64_t kHidden = 64;

/// inputs ids, positions; output "logits" of all tokens, [T, kVocabulary]. Weights are f32.
MadeModule make_tiny_model(Memory memory);

/// The cheapest module: output "hidden" [T, kHidden] of one linear map of the embedding.
MadeModule make_least_module();

/// Tokens that are the same for the same seed.
std::vector<std::int32_t> tokens(std::uint64_t seed, std::size_t count);

/// A step over the next tokens of some sequences of a tiny model; logits by part.
///   positions   of the first token of each part
struct TokenPart {
  vernal_sequence_id sequence = 0;
  std::vector<std::int32_t> tokens;
  std::uint64_t position = 0;
};
std::vector<std::vector<float>> token_step(Machine& machine, const std::vector<TokenPart>& parts);

/// Feeds `ids` from `position` on in chunks that end at absolute multiples of `chunk`; logits of
/// every token.
std::vector<float> feed(Machine& machine, vernal_sequence_id sequence,
                        std::span<const std::int32_t> ids, std::uint64_t position,
                        std::uint64_t chunk = 64);

}  // namespace vernal::check
