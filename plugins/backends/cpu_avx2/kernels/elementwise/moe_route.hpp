// The choice of experts: moe_route/1 of sdk/spec/operations.md §5, row by row in f32.
#pragma once

#include <cstdint>

namespace vernal::cpu_avx2 {

struct MoeRoute {
  const float* scores = nullptr;  ///< r: row t at scores + t * num_experts
  const float* bias = nullptr;    ///< [num_experts] or null: moves the choice, never a weight
  std::int32_t* ids = nullptr;    ///< row t at ids + t * num_used, best first
  float* weights = nullptr;       ///< as ids
  std::int64_t num_experts = 0;
  std::int64_t num_used = 0;         ///< k
  std::int64_t num_groups = 1;       ///< divides num_experts
  std::int64_t num_used_groups = 1;  ///< together they have at least k experts
  float scale = 1.0F;
  bool is_sigmoid = false;    ///< else softmax
  bool scores_before = true;  ///< the score is taken of all experts, else of the chosen
  bool is_renormalized = false;
};

/// f32 numbers of scratch memory that one thread needs.
std::int64_t moe_route_scratch_floats(const MoeRoute& route);

/// Rows [first, last). Of equal choices the lower index wins, also among groups; a NaN is chosen
/// after everything else, so ids are always k different experts.
void moe_route_rows(const MoeRoute& route, std::int64_t first, std::int64_t last, float* scratch);

}  // namespace vernal::cpu_avx2
