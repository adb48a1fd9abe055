// The feed-forward of a layer with experts. Each token uses the k experts with the highest scores
// of the router.
#pragma once

#include <cstdint>

#include "decoder_layer.hpp"

namespace vernal::architectures {

/// The sizes of the experts of a model.
struct ExpertConfig {
  std::int64_t count = 0;
  std::int64_t used = 0;         // experts that a token uses
  std::int64_t size = 0;         // inner width of an expert
  std::int64_t shared_size = 0;  // inner width of the expert that every token uses; 0: none
  double scale = 1;              // multiplies the weights of the chosen experts
};

/// Reads "PREFIX.expert_count" and the other keys of experts.
/// Errors   INVALID_ARGUMENT or NOT_FOUND; the message names the key
ExpertConfig read_expert_config(const Metadata& metadata, const DecoderConfig& config);

/// The sizes as lines "name = value".
std::string describe_experts(const ExpertConfig& config);

/// u[T, D] -> [T, D]: the weighted sum of the results of the chosen experts. Weights are the
/// softmax over all scores, divided by the sum of the chosen ones. If there is a shared expert, its
/// result times its own gate is added.
/// Errors   UNSUPPORTED: the file stores gate and up of its experts as one tensor
Tensor expert_feed_forward(const Builder& b, const DecoderLayer& blk, const ExpertConfig& config,
                           Tensor u, std::int64_t hidden_size);

}  // namespace vernal::architectures
