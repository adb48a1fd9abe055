// A compiled operation and what it sees of a running step.
//
// All workers call run() of every operation in the same order and share its work through the
// Worker. An operation does not wait at its end: the compiler asks for a barrier before an
// operation only where memory that it reads or writes was touched since the last one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "shared/compile/buffer_planner.hpp"
#include "shared/compile/step_io.hpp"
#include "streamed_products.hpp"
#include "thread_pool.hpp"
#include "vernal/module.hpp"
#include "weights.hpp"

namespace vernal::cpu_avx2 {

using backend::BufferId;
using backend::kNoBuffer;
using backend::Location;
using backend::Place;
using backend::RowCount;

/// The pages of a KV group in a step, and where the step's sequences have theirs.
struct KvPagesOfStep {
  std::byte* pages = nullptr;
  std::int64_t page_stride = 0;
  std::span<const AttentionSequence> sequences;
};

/// A step while it runs. Immutable but for the memory it points to.
struct StepContext {
  std::span<const Location> locations;  // by buffer
  std::byte* arena = nullptr;
  std::byte* outputs = nullptr;
  std::byte* scratch = nullptr;  // scratch_bytes for each worker
  std::int64_t scratch_bytes = 0;
  std::span<const void* const> inputs;
  const Weights* weights = nullptr;
  StreamedProducts* streamed = nullptr;  // null: the program computes all products itself
  std::int64_t num_tokens = 0;
  std::int64_t num_rows = 0;
  std::int64_t num_external = 0;  // X
  std::span<const AttentionSequence> sequences;
  std::span<const AttentionSchedule> schedules;
  std::span<std::byte* const> slots;  // of the sequences: their recurrent states; null without
  std::span<const KvPagesOfStep> kv;  // by group; empty but for those of the function

  std::byte* at(BufferId id) const {
    const Location& l = locations[static_cast<std::size_t>(id)];
    return (l.place == Place::kOutput ? outputs : arena) + l.offset;
  }
  float* floats(BufferId id) const { return reinterpret_cast<float*>(at(id)); }
  /// Readable numbers of a value, wherever it lies.
  const float* values(BufferId id) const { return static_cast<const float*>(readable(id)); }
  const std::int32_t* integers(BufferId id) const {
    return static_cast<const std::int32_t*>(readable(id));
  }
  float* worker_scratch(const Worker& worker) const {
    return reinterpret_cast<float*>(scratch + worker.index() * scratch_bytes);
  }
  /// The state at `offset` in the slot of a sequence of the step.
  float* state(std::int64_t sequence, std::int64_t offset) const {
    return reinterpret_cast<float*>(slots[static_cast<std::size_t>(sequence)] + offset);
  }
  std::int64_t count(RowCount rows) const {
    if (rows.leading == VERNAL_DIM_TOKENS) return num_tokens * rows.factor;
    if (rows.leading == VERNAL_DIM_ROWS) return num_rows * rows.factor;
    return rows.factor;
  }

 private:
  const void* readable(BufferId id) const {
    const Location& l = locations[static_cast<std::size_t>(id)];
    return l.place == Place::kInput ? inputs[static_cast<std::size_t>(l.offset)] : at(id);
  }
};

/// Pieces to hand out: enough to even out the workers' speeds, not so many that claiming costs.
inline std::int64_t chunk_of(std::int64_t count, const Worker& worker) {
  const std::int64_t pieces = std::int64_t{8} * worker.num_workers();
  return worker.num_workers() == 1 ? count : (count + pieces - 1) / pieces;
}

class Operation : public backend::BufferUse {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  /// This worker's part. Does not throw.
  virtual void run(const StepContext& step, Worker& worker) const noexcept = 0;

  std::int64_t scratch_bytes = 0;  ///< for each worker
  std::uint32_t timer = 0;         ///< of its kind, see OperationTimes
};

}  // namespace vernal::cpu_avx2
