// The emulated device: everything that the functions of the runtime's interface share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "emulator/fault.hpp"
#include "emulator/memory/global_memory.hpp"
#include "emulator/settings.hpp"
#include "emulator/streams.hpp"

namespace vernal::cuda_sm86::emulator {

/// What a call of the runtime answers instead of doing what it was asked. The text, if there is
/// one, goes to stderr: a program that calls rightly never sees it.
struct Refusal {
  cudaError_t error;
  std::string text;
};

/// One for the process. It lives until the end, since nothing says when the last handle is gone.
/// Thread  all but the mutex under the mutex
class Device {
 public:
  Device();

  std::mutex mutex;
  Settings settings;

  // ---- memory

  MemoryArena& memory() { return memory_; }
  MemoryArena& pinned() { return pinned_; }
  /// Whether the range lies in one allocation of the device or one of pinned memory.
  bool holds(const void* at, std::size_t bytes) const;
  bool is_pageable(const void* at) const { return !reachable.contains(at); }
  /// Where `at` lies, for messages.
  std::string text_of(const void* at) const;

  // ---- streams, events and graphs

  /// Errors  throws Refusal: cudaErrorInvalidResourceHandle
  CUstream_st& stream(cudaStream_t handle);
  CUevent_st& event(cudaEvent_t handle) { return known(events_, handle, "event"); }
  CUgraph_st& graph(cudaGraph_t handle) { return known(graphs_, handle, "graph"); }
  CUgraphExec_st& executable(cudaGraphExec_t handle) {
    return known(executables_, handle, "executable graph");
  }
  cudaStream_t add_stream() { return add(streams_); }
  cudaEvent_t add_event() { return add(events_); }
  cudaGraph_t add_graph() { return add(graphs_); }
  cudaGraphExec_t add_executable() { return add(executables_); }
  void remove(cudaStream_t handle) { drop(streams_, handle, "stream"); }
  void remove(cudaEvent_t handle) { drop(events_, handle, "event"); }
  void remove(cudaGraph_t handle) { drop(graphs_, handle, "graph"); }
  void remove(cudaGraphExec_t handle) { drop(executables_, handle, "executable graph"); }

  /// Puts an operation into the stream, or into the graph that the stream records.
  void put(CUstream_st& stream, Operation operation);
  /// Lets `run` run operations of streams: device memory can be reached meanwhile.
  void run(const std::function<void()>& run);
  void run_all_streams();

  /// Refuses calls that no capture may see.
  /// Errors  throws Refusal: cudaErrorStreamCaptureUnsupported; the captures are then invalid
  void refuse_while_capturing(const char* function);
  /// The same for a call that waits for `stream`.
  void refuse_if_capturing(CUstream_st& stream, const char* function);

  // ---- faults

  /// Errors  throws Refusal: a variable of the environment is wrong, there is no device, or a
  ///         kernel has failed
  void check_usable() const;
  /// What a fault has left behind: every call answers it.
  cudaError_t sticky_error() const { return sticky_error_; }
  void set_fault(const std::string& text);
  const std::string& last_fault() const { return last_fault_; }

  /// Everything as at the start of the process, but for the environment. All handles and pointers
  /// become invalid.
  void reset();

 private:
  template <class Type>
  using Handles = std::map<Type*, std::unique_ptr<Type>>;

  template <class Type>
  static Type& known(Handles<Type>& handles, Type* handle, const char* kind) {
    const auto found = handles.find(handle);
    if (found == handles.end()) {
      throw Refusal{cudaErrorInvalidResourceHandle, "there is no such " + std::string(kind)};
    }
    return *found->second;
  }
  template <class Type>
  static Type* add(Handles<Type>& handles) {
    auto made = std::make_unique<Type>();
    Type* const handle = made.get();
    handles.emplace(handle, std::move(made));
    return handle;
  }
  template <class Type>
  static void drop(Handles<Type>& handles, Type* handle, const char* kind) {
    known(handles, handle, kind);
    handles.erase(handle);
  }

  MemoryArena memory_;
  MemoryArena pinned_;
  CUstream_st default_stream_;
  Handles<CUstream_st> streams_;
  Handles<CUevent_st> events_;
  Handles<CUgraph_st> graphs_;
  Handles<CUgraphExec_st> executables_;
  cudaError_t sticky_error_ = cudaSuccess;
  std::string last_fault_;
};

Device& device();

/// Prints a message of the emulator on stderr.
void report(const std::string& text);

/// Runs the body of a function of the interface, under the mutex, and turns what it throws into
/// what the function returns.
template <class Body>
cudaError_t answer(const Body& body) {
  try {
    Device& shared = device();
    const std::scoped_lock lock(shared.mutex);
    try {
      shared.check_usable();
      return body(shared);
    } catch (const Fault& fault) {
      shared.set_fault(fault.what());
      return shared.sticky_error();
    } catch (const Refusal& refusal) {
      if (!refusal.text.empty()) {
        report(refusal.text);
      }
      return refusal.error;
    }
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  }
}

}  // namespace vernal::cuda_sm86::emulator
