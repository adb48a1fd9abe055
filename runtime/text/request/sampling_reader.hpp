// The object `sampling` of a request.
#pragma once

#include <string>
#include <vector>

#include "text/request/json_reader.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// A bias for every token of a text.
struct TextBias {
  std::string text;
  float bias = 0.0F;
};

/// Reads the key `sampling` of a request document, if it is there. What it leaves out stays as it is.
///   text_biases   gets what logit_bias says of texts: a vocabulary turns them into tokens
/// Errors   RequestError, naming the field
void read_sampling(ObjectReader& reader, SamplingOptions& out, std::vector<TextBias>& text_biases);

}  // namespace vernal
