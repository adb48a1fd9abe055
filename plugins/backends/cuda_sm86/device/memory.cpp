#include "device/memory.hpp"

#include <string>

#include "device/cuda_error.hpp"

namespace vernal::cuda_sm86 {

Buffer::Buffer(MemoryPlace place, std::int64_t bytes, std::string_view what) : place_(place) {
  void* data = nullptr;
  const auto size = static_cast<std::size_t>(bytes);
  const cudaError_t error = place == MemoryPlace::kDevice
                                ? cudaMalloc(&data, size)
                                : cudaHostAlloc(&data, size, cudaHostAllocMapped);
  check_cuda(error, std::string(what) + ": allocation of " + std::to_string(bytes) + " bytes of " +
                        (place == MemoryPlace::kDevice ? "device" : "pinned host") + " memory");
  data_ = static_cast<std::byte*>(data);
  bytes_ = bytes;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  // An error here is one of an earlier call, which has been reported.
  static_cast<void>(place_ == MemoryPlace::kDevice ? cudaFree(data_) : cudaFreeHost(data_));
}

}  // namespace vernal::cuda_sm86
