// moe_route/1: which experts a token uses, and with which weights (sdk/spec/operations.md, section
// 5).
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kMostExperts = 1024;

/// One node in one step. All memory is borrowed and on the device.
struct Route {
  const float* scores;  ///< [T][num_experts]
  const float* bias;    ///< [num_experts] or null
  int32_t* ids;         ///< [T][num_used]
  float* weights;       ///< [T][num_used]
  const StepCounts* counts;
  int32_t num_experts;
  int32_t num_used;
  int32_t num_groups;
  int32_t num_used_groups;
  float scale;
  bool is_sigmoid;     ///< else softmax
  bool scores_before;  ///< over all experts, else of the chosen ones alone
  bool is_renormalized;
};
cudaError_t launch_route(const Route& route, const LaunchSize& size);

}  // namespace vernal::cuda_sm86
