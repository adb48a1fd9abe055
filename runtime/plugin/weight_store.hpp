// Where a backend gets its weights while it builds a program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vernal/abi/backend.h"

namespace vernal::plugin {

/// The weights of one module by their index in it. Called on the thread that builds. If a member
/// throws, the build ends with that error.
class WeightStore {
 public:
  virtual ~WeightStore() = default;

  /// Fills `destination` with stored bytes of weight `index`, from byte `offset` on.
  virtual void read(std::uint64_t index, std::uint64_t offset,
                    std::span<std::byte> destination) = 0;
  /// All stored bytes of a weight. Valid until unmap, or until the store is destroyed.
  virtual std::span<const std::byte> map(std::uint64_t index) = 0;
  /// Says that the backend does not need the mapping any more.
  virtual void unmap(std::uint64_t index) = 0;
  /// Says that a part of a mapped weight has been copied: its pages may leave memory.
  virtual void release(std::uint64_t /*index*/, std::uint64_t /*offset*/, std::uint64_t /*size*/) {}
};

/// The same as the interface has it. Borrows the store.
vernal_weight_source weight_source(WeightStore& weights);

}  // namespace vernal::plugin
