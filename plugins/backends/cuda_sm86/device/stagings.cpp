#include "device/stagings.hpp"

#include "device/cuda_error.hpp"

namespace vernal::cuda_sm86 {

Stagings::Stagings(const Stream& copies, const Stream& uses, std::int64_t bytes)
    : copies_(copies), uses_(uses) {
  for (Staging& staging : stagings_) {
    staging.pinned = Buffer(MemoryPlace::kPinned, bytes, "staging");
    staging.device = Buffer(MemoryPlace::kDevice, bytes, "staging");
  }
}

void Stagings::put(std::int64_t bytes, const std::function<void(std::byte*)>& fill) {
  Staging& staging = stagings_[num_put_ % stagings_.size()];
  staging.copied.wait();
  fill(staging.pinned.data());
  copies_.wait_for(staging.used);
  check_cuda(
      cudaMemcpyAsync(staging.device.data(), staging.pinned.data(), static_cast<std::size_t>(bytes),
                      cudaMemcpyHostToDevice, copies_.get()),
      "copying weights to the device");
  staging.copied.record(copies_);
  ++num_put_;
  ++num_waiting_;
}

void Stagings::take(const std::function<cudaError_t(const std::byte*)>& use) {
  Staging& staging = stagings_[(num_put_ - num_waiting_) % stagings_.size()];
  uses_.wait_for(staging.copied);
  check_cuda(use(staging.device.data()), "work with weights");
  staging.used.record(uses_);
  --num_waiting_;
}

}  // namespace vernal::cuda_sm86
