// The memory of a pool on the device: pages and states there, what checkpoints keep in pinned host
// memory.
//
// Copies between the two have a stream of their own, so that steps of other sequences go on while the
// states of one are on their way. Events keep the order: such a copy waits for the steps before it,
// and whatever touches its part of the device afterwards waits for the copy. Everything else is done
// in the stream of the steps.
#pragma once

#include <vector>

#include "device/stream.hpp"
#include "shared/state/memory.hpp"

namespace vernal::cuda_sm86 {

class DeviceMemory final : public backend::Memory {
 public:
  /// Borrows the stream of the steps, which outlives it.
  explicit DeviceMemory(const Stream& steps) : steps_(steps) {}

  std::unique_ptr<backend::Region> reserve(std::int64_t bytes, backend::RegionUse use,
                                           std::string_view what) override;
  void copy(const std::byte* from, std::byte* to, std::int64_t bytes) override;
  void clear(std::byte* at, std::int64_t bytes) override;
  const std::byte* view(const std::byte* from, std::int64_t bytes,
                        std::vector<std::byte>& copy) override;
  void write(std::span<const std::byte> from, std::byte* to) override;

  /// Before a step that reads or writes [at, at + bytes) of the device is put into its stream: it
  /// waits there for copies of this range that are under way.
  void wait_for_copies(const std::byte* at, std::int64_t bytes);
  /// Waits until no copy is under way, whatever became of it. [blocks]
  void abandon_copies() const { static_cast<void>(cudaStreamSynchronize(copies_.get())); }

 private:
  struct Range {
    const std::byte* begin;
    std::int64_t bytes;
    bool overlaps(const Range& other) const {
      return begin < other.begin + other.bytes && other.begin < begin + bytes;
    }
  };

  bool is_on_host(const std::byte* at) const;
  void put_copy(const Stream& stream, const std::byte* from, std::byte* to, std::int64_t bytes);

  const Stream& steps_;
  Stream copies_;
  Event steps_so_far_;
  Event copies_so_far_;
  std::vector<Range> host_regions_;
  std::vector<Range> under_way_;  // parts of the device that copies read or write
};

}  // namespace vernal::cuda_sm86
