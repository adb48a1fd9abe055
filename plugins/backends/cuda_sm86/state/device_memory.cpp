#include "state/device_memory.hpp"

#include <algorithm>
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
  if (is_kept) host_regions_.push_back({region->data(), bytes});
  clear(region->data(), bytes);
  return region;
}

bool DeviceMemory::is_on_host(const std::byte* at) const {
  return std::ranges::any_of(host_regions_, [&](const Range& region) {
    return region.overlaps({at, 1});
  });
}

void DeviceMemory::put_copy(const Stream& stream, const std::byte* from, std::byte* to,
                            std::int64_t bytes) {
  check_cuda(
      cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, stream.get()),
      "copying states");
}

void DeviceMemory::wait_for_copies(const std::byte* at, std::int64_t bytes) {
  const Range range{at, bytes};
  if (std::ranges::none_of(under_way_, [&](const Range& r) { return r.overlaps(range); })) return;
  copies_so_far_.record(copies_);
  steps_.wait_for(copies_so_far_);
  under_way_.clear();
}

void DeviceMemory::copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  const bool from_host = is_on_host(from);
  if (from_host || is_on_host(to)) {
    steps_so_far_.record(steps_);
    copies_.wait_for(steps_so_far_);
    put_copy(copies_, from, to, bytes);
    under_way_.push_back({from_host ? to : from, bytes});
    return;
  }
  wait_for_copies(from, bytes);
  wait_for_copies(to, bytes);
  put_copy(steps_, from, to, bytes);
}

void DeviceMemory::clear(std::byte* at, std::int64_t bytes) {
  const bool is_kept = is_on_host(at);
  if (!is_kept) wait_for_copies(at, bytes);
  check_cuda(
      cudaMemsetAsync(at, 0, static_cast<std::size_t>(bytes), (is_kept ? copies_ : steps_).get()),
      "clearing states");
}

const std::byte* DeviceMemory::view(const std::byte* from, std::int64_t bytes,
                                    std::vector<std::byte>& copy) {
  if (is_on_host(from)) {
    copies_.wait();
    return from;
  }
  wait_for_copies(from, bytes);
  copy.resize(static_cast<std::size_t>(bytes));
  put_copy(steps_, from, copy.data(), bytes);
  steps_.wait();
  return copy.data();
}

void DeviceMemory::write(std::span<const std::byte> from, std::byte* to) {
  const auto bytes = static_cast<std::int64_t>(from.size());
  if (is_on_host(to)) {
    copies_.wait();
    std::ranges::copy(from, to);
    return;
  }
  wait_for_copies(to, bytes);
  put_copy(steps_, from.data(), to, bytes);
  steps_.wait();
}

}  // namespace vernal::cuda_sm86
