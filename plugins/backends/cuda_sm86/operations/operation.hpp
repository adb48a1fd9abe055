// A compiled operation, and what it sees of a step when it puts its kernels into the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/step.hpp"
#include "shared/compile/buffer_planner.hpp"
#include "shared/compile/step_io.hpp"
#include "vernal/module.hpp"
#include "weights.hpp"

namespace vernal::cuda_sm86 {

using backend::BufferId;
using backend::kNoBuffer;
using backend::Location;
using backend::Place;
using backend::RowCount;

/// A result in 8-bit form, as products with quantised weights read it.
struct BlockRows {
  BufferId blocks = kNoBuffer;  ///< kNoBuffer: it is not wanted
  std::int64_t num_columns = 0;
};

/// The pages of a KV group in a step.
struct KvPagesOfStep {
  std::byte* pages = nullptr;
  std::int64_t page_stride = 0;
  const std::uint32_t* page_ids = nullptr;  ///< device, [sequences][most pages]
};

/// A step as its launches see it: device memory at addresses that are the same in every step with
/// the same slot of results, and the most of everything that its grids must cover.
struct StepContext {
  std::span<const Location> locations;  // by buffer
  std::byte* arena = nullptr;
  std::byte* outputs = nullptr;
  std::span<std::byte* const> inputs;  // device, by input of the function
  const Weights* weights = nullptr;
  const StepCounts* counts = nullptr;  // device, as the next ones
  const std::int32_t* token_sequence = nullptr;
  const SequencePart* sequences = nullptr;
  std::span<const KvPagesOfStep> kv;  // by group
  std::byte* states = nullptr;        // of all slots
  LaunchSize size;

  std::byte* at(BufferId id) const {
    const Location& l = locations[static_cast<std::size_t>(id)];
    if (l.place == Place::kInput) return inputs[static_cast<std::size_t>(l.offset)];
    return (l.place == Place::kOutput ? outputs : arena) + l.offset;
  }
  float* floats(BufferId id) const { return reinterpret_cast<float*>(at(id)); }
  const std::int32_t* integers(BufferId id) const {
    return reinterpret_cast<const std::int32_t*>(at(id));
  }
  ActivationBlocks blocks_of(const BlockRows& rows) const {
    if (rows.blocks == kNoBuffer) return {};
    return activation_blocks(at(rows.blocks), rows.num_columns);
  }
  /// The rows as kernels count them.
  DeviceRows rows(RowCount rows) const {
    const std::int32_t* leading = nullptr;
    if (rows.leading == VERNAL_DIM_TOKENS) leading = &counts->num_tokens;
    if (rows.leading == VERNAL_DIM_ROWS) leading = &counts->num_rows;
    return {leading, static_cast<std::int32_t>(rows.factor)};
  }
  /// The most of them that grids must cover.
  std::int64_t most(RowCount rows) const {
    if (rows.leading == VERNAL_DIM_TOKENS) return size.num_tokens * rows.factor;
    if (rows.leading == VERNAL_DIM_ROWS) return size.num_rows * rows.factor;
    return rows.factor;
  }
};

class Operation : public backend::BufferUse {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  /// Puts the kernels of the operation into the stream of the step. They run in order.
  virtual cudaError_t launch(const StepContext& step) const = 0;

  /// This operation, writing one of its results in 8-bit form too; null: it cannot.
  ///   result    buffer of the result
  ///   is_read   whether anybody else reads it
  virtual std::unique_ptr<Operation> with_blocks(BufferId result, const BlockRows& rows,
                                                 bool is_read) const {
    static_cast<void>(result);
    static_cast<void>(rows);
    static_cast<void>(is_read);
    return nullptr;
  }

  /// Its node's path and operation, for errors: "blk.3.attn.q (vernal.linear/1)". Those of all nodes
  /// that have become one, with " + " between them.
  std::string name;
};

}  // namespace vernal::cuda_sm86
