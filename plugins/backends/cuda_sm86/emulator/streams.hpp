// Streams, events and graphs. A stream is a queue of operations that run when somebody waits for
// them, and other streams run only as far as those operations wait for their events. So a program
// that forgets to wait finds the old content of its buffers, and not by chance the new one.
//
// Thread  under the mutex of the device
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "emulator/include/cuda_runtime_api.h"

namespace vernal::cuda_sm86::emulator {

using Action = std::function<void()>;

/// A point in a stream that an event names.
struct Moment {
  CUstream_st* stream = nullptr;
  bool is_reached = false;
  std::chrono::steady_clock::time_point time;  ///< when it was reached
};

/// What a stream does. First it waits for `after`, if that is set.
struct Operation {
  Action run;
  std::shared_ptr<Moment> after;
};

/// What a stream records between cudaStreamBeginCapture() and cudaStreamEndCapture().
struct Capture {
  std::vector<Action> actions;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  bool is_invalid = false;
};

}  // namespace vernal::cuda_sm86::emulator

// The types that the interface names but does not show.
// NOLINTBEGIN(readability-identifier-naming): the names are NVIDIA's

struct CUstream_st {
  std::deque<vernal::cuda_sm86::emulator::Operation> queue;
  std::shared_ptr<vernal::cuda_sm86::emulator::Capture> capture;  ///< null: none under way
};

struct CUevent_st {
  std::shared_ptr<vernal::cuda_sm86::emulator::Moment> moment;  ///< null: never recorded
  std::weak_ptr<vernal::cuda_sm86::emulator::Capture> capture;  ///< in which it was recorded last
  bool is_captured = false;
  bool is_timed = true;
};

struct CUgraphNode_st {
  vernal::cuda_sm86::emulator::Action run;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  std::vector<vernal::cuda_sm86::emulator::Action> actions;
};

// NOLINTEND(readability-identifier-naming)

namespace vernal::cuda_sm86::emulator {

/// Runs one operation of the stream, or one of another stream for which it waits. Nothing happens
/// if the stream is empty.
/// Throws  Fault
void run_one(CUstream_st& stream);
void run_all(CUstream_st& stream);
void run_until(const Moment& moment);

}  // namespace vernal::cuda_sm86::emulator
