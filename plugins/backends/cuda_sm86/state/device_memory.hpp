// The memory of a pool on the device: pages and states there, what checkpoints keep in pinned host
// memory. Everything is done in the stream of the program, so it waits for the steps before it.
#pragma once

#include "device/stream.hpp"
#include "shared/state/memory.hpp"

namespace vernal::cuda_sm86 {

class DeviceMemory final : public backend::Memory {
 public:
  /// Borrows the stream, which outlives it.
  explicit DeviceMemory(const Stream& stream) : stream_(stream) {}

  std::unique_ptr<backend::Region> reserve(std::int64_t bytes, backend::RegionUse use,
                                           std::string_view what) override;
  void copy(const std::byte* from, std::byte* to, std::int64_t bytes) override;
  void clear(std::byte* at, std::int64_t bytes) override;
  const std::byte* view(const std::byte* from, std::int64_t bytes,
                        std::vector<std::byte>& copy) override;
  void write(std::span<const std::byte> from, std::byte* to) override;

 private:
  const Stream& stream_;
};

}  // namespace vernal::cuda_sm86
