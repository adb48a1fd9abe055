// Pinned and device memory that pieces of weights pass through on their way to kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "device/memory.hpp"
#include "device/stream.hpp"

namespace vernal::cuda_sm86 {

/// How many pieces are on their way at a time.
inline constexpr std::int64_t kNumStagings = 2;

/// Pieces go in turns through pinned memory and a copy of it on the device: while one is used, the next
/// one is filled and copied. The streams, which are borrowed, may be the same one. Not thread safe.
class Stagings {
 public:
  /// copies  brings pieces to the device
  /// uses    works on them
  /// bytes   of the largest piece
  /// Errors  RESOURCE_EXHAUSTED: there is no room
  Stagings(const Stream& copies, const Stream& uses, std::int64_t bytes);

  /// Whether there is no room for a piece before another one is taken.
  bool is_full() const { return num_waiting_ == static_cast<std::size_t>(kNumStagings); }
  /// Calls fill(pinned), and puts the copy to the device into its stream. Not if is_full(). [blocks
  /// until the piece that was there before has been copied]
  void put(std::int64_t bytes, const std::function<void(std::byte*)>& fill);
  /// Calls use(copy) for the piece that was put in first of those that wait. It puts work that reads
  /// the copy into the stream of uses. Only if a piece waits.
  void take(const std::function<cudaError_t(const std::byte*)>& use);
  /// Forgets the pieces that wait.
  void drop() { num_waiting_ = 0; }

  std::int64_t pinned_bytes() const { return kNumStagings * stagings_.front().pinned.bytes(); }
  std::int64_t device_bytes() const { return kNumStagings * stagings_.front().device.bytes(); }

 private:
  struct Staging {
    Buffer pinned;
    Buffer device;
    Event copied;  ///< what was put in is on the device
    Event used;    ///< what was taken is not read any more
  };

  const Stream& copies_;
  const Stream& uses_;
  std::array<Staging, kNumStagings> stagings_;
  std::size_t num_put_ = 0;
  std::size_t num_waiting_ = 0;  // the last of them
};

}  // namespace vernal::cuda_sm86
