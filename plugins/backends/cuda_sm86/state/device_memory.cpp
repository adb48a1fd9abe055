#include "state/device_memory.hpp"

#include <utility>

#include "device/cuda_error.hpp"
#include "device/memory.hpp"

namespace vernal::cuda_sm86 {

namespace {

class BufferRegion final : public backend::Region {
 public:
  explicit BufferRegion(Buffer buffer)
      : Region(buffer.data(), buffer.bytes()), buffer_(std::move(buffer)) {}

 private:
  Buffer buffer_;
};

}  // namespace

std::unique_ptr<backend::Region> DeviceMemory::reserve(std::int64_t bytes, backend::RegionUse use,
                                                       std::string_view what) {
  const bool is_kept = use == backend::RegionUse::kSparse;
  auto region = std::make_unique<BufferRegion>(
      Buffer(is_kept ? MemoryPlace::kPinned : MemoryPlace::kDevice, bytes, what));
  clear(region->data(), bytes);
  return region;
}

void DeviceMemory::copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  check_cuda(
      cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, stream_.get()),
      "copying states");
}

void DeviceMemory::clear(std::byte* at, std::int64_t bytes) {
  check_cuda(cudaMemsetAsync(at, 0, static_cast<std::size_t>(bytes), stream_.get()),
             "clearing states");
}

const std::byte* DeviceMemory::view(const std::byte* from, std::int64_t bytes,
                                    std::vector<std::byte>& copy) {
  copy.resize(static_cast<std::size_t>(bytes));
  this->copy(from, copy.data(), bytes);
  stream_.wait();
  return copy.data();
}

void DeviceMemory::write(std::span<const std::byte> from, std::byte* to) {
  copy(from.data(), to, static_cast<std::int64_t>(from.size()));
  stream_.wait();
}

}  // namespace vernal::cuda_sm86
