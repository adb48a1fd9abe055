// Chooses where the buffers of a function lie. Buffers that are never alive together share memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vernal::backend {

/// A buffer of a compiled function, by number.
using BufferId = std::int32_t;
inline constexpr BufferId kNoBuffer = -1;

/// Where a buffer lies.
enum class Place : std::uint8_t {
  kArena,   ///< shared by buffers whose lives do not overlap
  kOutput,  ///< results, kept until the step is released
  kInput,   ///< data of the caller, read only
};

struct Location {
  Place place = Place::kArena;
  std::int64_t offset = 0;  ///< bytes; for kInput the index of the input
  std::int64_t bytes = 0;   ///< at the greatest step
};

/// What an operation does with buffers. Operations of a backend derive from it.
struct BufferUse {
  std::vector<BufferId> reads;
  std::vector<BufferId> writes;
  bool needs_barrier = false;  ///< before the operation; set by place_barriers()
};

class BufferPlanner {
 public:
  BufferId add_arena(std::int64_t bytes);
  BufferId add_output(std::int64_t bytes);
  BufferId add_input(std::int64_t index);
  /// Moves an arena buffer to the outputs.
  void make_output(BufferId id);

  /// Fixes all offsets from the lives that the operations, in their order, give the buffers.
  void place(std::span<const BufferUse* const> operations);

  const std::vector<Location>& locations() const { return locations_; }
  std::int64_t arena_bytes() const { return arena_bytes_; }
  std::int64_t output_bytes() const { return output_bytes_; }

 private:
  std::vector<Location> locations_;
  std::int64_t arena_bytes_ = 0;
  std::int64_t output_bytes_ = 0;
};

/// Sets needs_barrier of each operation that reads or writes memory which another one wrote since
/// the last barrier, or writes memory which another one read since then.
void place_barriers(std::span<BufferUse* const> operations, const std::vector<Location>& locations);

}  // namespace vernal::backend
