// Where a backend pulls weights from while it builds a program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vernal::plugin {

/// Weights of one module by their index in it. Called on the thread that builds; what a member
/// throws ends the build with that error.
class WeightStore {
 public:
  virtual ~WeightStore() = default;

  /// Copies stored bytes of weight `index` from `offset` into the whole of `destination`.
  virtual void read(std::uint64_t index, std::uint64_t offset,
                    std::span<std::byte> destination) = 0;
  /// All stored bytes of a weight, valid until unmap or until the store goes.
  virtual std::span<const std::byte> map(std::uint64_t index) = 0;
  /// The backend needs the mapping no more.
  virtual void unmap(std::uint64_t index) = 0;
};

}  // namespace vernal::plugin
