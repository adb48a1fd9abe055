#include "state/host_memory.hpp"

#include <cstring>
#include <utility>

#include "reserved_memory.hpp"

namespace vernal::cpu_avx2 {

namespace {

class HostRegion final : public backend::Region {
 public:
  explicit HostRegion(ReservedMemory memory)
      : Region(memory.data(), memory.bytes()), memory_(std::move(memory)) {}

 private:
  ReservedMemory memory_;
};

}  // namespace

std::unique_ptr<backend::Region> HostMemory::reserve(std::int64_t bytes, backend::RegionUse use,
                                                     std::string_view what) {
  const bool is_whole = use == backend::RegionUse::kWhole;
  return std::make_unique<HostRegion>(ReservedMemory(
      bytes, is_whole ? ReservedMemory::Pages::kLarge : ReservedMemory::Pages::kSmall, what));
}

void HostMemory::copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void HostMemory::clear(std::byte* at, std::int64_t bytes) {
  std::memset(at, 0, static_cast<std::size_t>(bytes));
}

const std::byte* HostMemory::view(const std::byte* from, std::int64_t, std::vector<std::byte>&) {
  return from;
}

void HostMemory::write(std::span<const std::byte> from, std::byte* to) {
  std::memcpy(to, from.data(), from.size());
}

}  // namespace vernal::cpu_avx2
