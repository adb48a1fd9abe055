// Places for the buffers of a function: memory is shared by buffers that are never alive together.
#pragma once

#include <cstdint>
#include <vector>

#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

class BufferPlanner {
 public:
  BufferId add_arena(std::int64_t bytes);
  BufferId add_output(std::int64_t bytes);
  BufferId add_input(std::int64_t index);
  /// Moves an arena buffer to the outputs.
  void make_output(BufferId id);

  /// Fixes all offsets from the lives that the operations give the buffers.
  void place(const std::vector<std::unique_ptr<Operation>>& operations);

  const std::vector<Location>& locations() const { return locations_; }
  std::int64_t arena_bytes() const { return arena_bytes_; }
  std::int64_t output_bytes() const { return output_bytes_; }

 private:
  std::vector<Location> locations_;
  std::int64_t arena_bytes_ = 0;
  std::int64_t output_bytes_ = 0;
};

/// Asks for a barrier before each operation that touches memory another one wrote, or writes memory
/// another one read, since the last barrier.
void place_barriers(const std::vector<std::unique_ptr<Operation>>& operations,
                    const std::vector<Location>& locations);

}  // namespace vernal::cpu_avx2
