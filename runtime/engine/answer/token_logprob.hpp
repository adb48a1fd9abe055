// Log-probabilities in the form of events.
#pragma once

#include "engine/request/event.hpp"
#include "engine/sampling/token_probability.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// A token and its alternatives with the bytes that they stand for.
TokenLogprob describe(const SampledToken& token, const Tokenizer& tokenizer);

}  // namespace vernal
