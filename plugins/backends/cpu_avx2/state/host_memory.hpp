// The memory of a pool on the CPU: reserved address space, and copies that are done at once.
#pragma once

#include "shared/state/memory.hpp"

namespace vernal::cpu_avx2 {

/// Steps are done when step_submit returns, so nothing has to wait for them.
class HostMemory final : public backend::Memory {
 public:
  std::unique_ptr<backend::Region> reserve(std::int64_t bytes, backend::RegionUse use,
                                           std::string_view what) override;
  void copy(const std::byte* from, std::byte* to, std::int64_t bytes) override;
  void clear(std::byte* at, std::int64_t bytes) override;
  const std::byte* view(const std::byte* from, std::int64_t bytes,
                        std::vector<std::byte>& copy) override;
  void write(std::span<const std::byte> from, std::byte* to) override;
};

}  // namespace vernal::cpu_avx2
