// The feed-forward of a layer with experts: each token takes the k that its router scores highest.
#pragma once

#include <cstdint>

#include "decoder_layer.hpp"

namespace vernal::architectures {

/// Sizes of the experts.
struct ExpertConfig {
  std::int64_t count = 0;
  std::int64_t used = 0;         // by a token
  std::int64_t size = 0;         // inner width of one
  std::int64_t shared_size = 0;  // inner width of the one every token takes; 0: there is none
  double scale = 1;              // of the chosen experts' weights
};

/// Reads "PREFIX.expert_count" and its siblings. Errors   INVALID_ARGUMENT or NOT_FOUND, naming the
/// key.
ExpertConfig read_expert_config(const Metadata& metadata, const DecoderConfig& config);

/// Lines "name = value".
std::string describe_experts(const ExpertConfig& config);

/// The chosen experts' answers to u[T, D], weighted by softmax over all scores and made to add up
/// to 1; plus the shared expert's, times its own gate, if there is one.
/// Errors   UNSUPPORTED: the file stores gate and up of its experts as one tensor.
Tensor expert_feed_forward(const Builder& b, const DecoderLayer& blk, const ExpertConfig& config,
                           Tensor u, std::int64_t hidden_size);

}  // namespace vernal::architectures
