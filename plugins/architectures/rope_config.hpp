// The rotary position embedding that a model file describes.
#pragma once

#include <cstdint>
#include <string_view>

#include "decoder_config.hpp"

namespace vernal::architectures {

/// Reads "PREFIX.rope.dimension_count", "PREFIX.rope.freq_base" and "PREFIX.rope.scaling.*".
///   style          "neox" or "interleaved": how the architecture pairs dimensions
///   default_base   the base if the file has none
/// Errors           INVALID_ARGUMENT or UNSUPPORTED; the message names the key
RopeOptions read_rope(const Metadata& metadata, const DecoderConfig& config, std::string_view style,
                      double default_base);

/// The divisors of the frequencies, if the file stores them, else none. They are
/// rope_factors_long.weight if `context_length` is above rope's original context length, else
/// rope_factors_short.weight. If the file lacks that tensor, they are rope_freqs.weight.
/// Errors   INVALID_ARGUMENT: the scaling is longrope and the file has no divisors
WeightRef read_rope_factors(const Metadata& metadata, const DecoderConfig& config,
                            const RopeOptions& rope, std::int64_t context_length,
                            const Builder& builder);

}  // namespace vernal::architectures
