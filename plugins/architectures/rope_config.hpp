// Rotary position embedding as a model file describes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "decoder_config.hpp"

namespace vernal::architectures {

/// Reads "PREFIX.rope.dimension_count", ".rope.freq_base" (`default_base` if absent) and
/// ".rope.scaling.*".
///   style   "neox" or "interleaved": how the architecture pairs dimensions
/// Errors   INVALID_ARGUMENT or UNSUPPORTED, naming the key.
RopeOptions read_rope(const Metadata& metadata, const DecoderConfig& config, std::string_view style,
                      double default_base);

/// Divisors of the frequencies, if the file stores them: rope_freqs.weight, or rope_factors_long or
/// _short .weight by whether `context_length` is above what the model was trained for at first.
WeightRef read_rope_factors(const Metadata& metadata, const DecoderConfig& config,
                            const RopeOptions& rope, std::int64_t context_length,
                            const Builder& builder);

}  // namespace vernal::architectures
