// Streams and events as owned objects.
#pragma once

#include <cuda_runtime_api.h>

#include "device/cuda_error.hpp"

namespace vernal::cuda_sm86 {

class Stream;

/// A point in a stream.
class Event {
 public:
  Event() {
    check_cuda(cudaEventCreateWithFlags(&event_, cudaEventBlockingSync), "creating an event");
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }

  cudaEvent_t get() const { return event_; }
  inline void record(const Stream& stream);
  /// Waits until the work before the newest record() is done.
  /// Errors  those of the work
  void wait() const { check_cuda(cudaEventSynchronize(event_), "waiting for the device"); }
  /// Whether it is done.
  bool is_done() const {
    const cudaError_t state = cudaEventQuery(event_);
    if (state == cudaErrorNotReady) return false;
    check_cuda(state, "waiting for the device");
    return true;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// A queue of work of the current device. Its destructor waits until the work is done.
class Stream {
 public:
  Stream() {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    static_cast<void>(cudaStreamSynchronize(stream_));
    static_cast<void>(cudaStreamDestroy(stream_));
  }

  cudaStream_t get() const { return stream_; }
  /// Waits until all work put in so far is done.
  void wait() const { check_cuda(cudaStreamSynchronize(stream_), "waiting for a stream"); }
  /// Lets work that is put in from now on wait for the work before the newest record() of `event`.
  void wait_for(const Event& event) const {
    check_cuda(cudaStreamWaitEvent(stream_, event.get(), 0), "putting a wait into a stream");
  }

 private:
  cudaStream_t stream_ = nullptr;
};

void Event::record(const Stream& stream) {
  check_cuda(cudaEventRecord(event_, stream.get()), "recording an event");
}

}  // namespace vernal::cuda_sm86
