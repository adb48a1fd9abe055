// The visits of a step: the pairs of a token and an expert that it uses, ordered by expert, so that
// products with experts are products with rows of x like any other.
//
// A visit is v = token * num_used + place. Its slot is a row of the expert's input and output. The
// slots of an expert begin at a multiple of 8, so that a tile of 8 rows belongs to one expert. Rows
// of slots that no visit has are computed and read by nobody.
#pragma once

#include "kernels/matmul/matmul.hpp"
#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Most slots that so many visits can take.
inline int64_t most_slots(int64_t num_visits, int64_t num_experts) {
  const int64_t used = num_visits < num_experts ? num_visits : num_experts;
  return (num_visits + used * (kColumnTile - 1) + kColumnTile - 1) / kColumnTile * kColumnTile;
}

/// Device memory of one node in one step. Made by launch_order_visits().
struct Visits {
  const int32_t* ids;     ///< [T][num_used]
  int32_t* num_slots;     ///< one number: slots in use, whole tiles
  int32_t* tile_experts;  ///< [most slots / 8]: whose tile it is
  int32_t* slot_visits;   ///< [most slots]: visit, or -1
  int32_t* visit_slots;   ///< [T * num_used]
  const StepCounts* counts;
  int32_t num_used;
  int32_t num_experts;
};
cudaError_t launch_order_visits(const Visits& visits, const LaunchSize& size);

/// Copies the rows of x that the slots need.
struct GatherRows {
  Visits visits;
  const float* x;        ///< [T][num_columns]
  const float* weights;  ///< [T][num_used]: rows are multiplied with them; null: they are not
  float* y;              ///< [slots][num_columns]
  int64_t num_columns;
};
cudaError_t launch_gather_rows(const GatherRows& gather, int64_t slots, const LaunchSize& size);

/// y[t] = sum over its visits, in order, of weight times the row of the visit's slot.
struct AddVisits {
  Visits visits;
  const float* x;        ///< [slots][num_columns]
  const float* weights;  ///< [T][num_used]; null: rows are added as they are
  float* y;              ///< [T][num_columns]
  int64_t num_columns;
};
cudaError_t launch_add_visits(const AddVisits& add, const LaunchSize& size);

}  // namespace vernal::cuda_sm86
