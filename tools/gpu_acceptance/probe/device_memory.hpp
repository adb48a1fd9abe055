// Memory of the device, and errors as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace vernal::probe {

/// Throws std::runtime_error with the runtime's text.
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorName(error) + ": " +
                           cudaGetErrorString(error));
}

/// A stream that waits for no other one.
class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }
  ~Stream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "kernel"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// An array in the memory of the device.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    void* at = nullptr;
    check(cudaMalloc(&at, count * sizeof(T)), "memory of the device");
    at_ = static_cast<T*>(at);
  }
  explicit DeviceArray(std::span<const T> values) : DeviceArray(values.size()) {
    check(cudaMemcpy(at_, values.data(), values.size_bytes(), cudaMemcpyHostToDevice), "copy");
  }
  ~DeviceArray() { static_cast<void>(cudaFree(at_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return at_; }
  /// Its content. What was put into a stream has been waited for.
  std::vector<T> read() const {
    std::vector<T> out(count_);
    check(cudaMemcpy(out.data(), at_, count_ * sizeof(T), cudaMemcpyDeviceToHost), "copy");
    return out;
  }

 private:
  T* at_ = nullptr;
  std::size_t count_;
};

}  // namespace vernal::probe
