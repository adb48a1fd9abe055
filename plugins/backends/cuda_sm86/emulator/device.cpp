#include "emulator/device.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "emulator/counters.hpp"
#include "emulator/crash_report.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

// Addresses cost nothing, so there are more than bytes: pages between allocations take some, and
// freed ones rest.
std::size_t address_bytes(const Settings& settings) {
  return 2 * settings.memory_bytes + (std::size_t{1} << 30);
}

// The first half is for memory of the device, the second one for pinned memory.
AddressRange reserve_reachable(const Settings& settings) {
  reachable = reserve_addresses(2 * address_bytes(settings));
  return {reachable.begin, reachable.bytes / 2};
}

}  // namespace

Device& device() {
  static auto& only = *new Device();
  return only;
}

void report(const std::string& text) { std::fprintf(stderr, "cuda emulator: %s\n", text.c_str()); }

Device::Device()
    : settings(settings_of_environment()),
      memory_(reserve_reachable(settings)),
      pinned_({reachable.begin + reachable.bytes / 2, reachable.bytes / 2}) {
  memory_.close();
  install_crash_report();
  if (!settings.error.empty()) {
    report(settings.error);
    last_fault_ = settings.error;
  }
}

void Device::check_usable() const {
  if (!settings.error.empty()) {
    throw Refusal{cudaErrorInitializationError, {}};
  }
  if (settings.num_devices == 0) {
    throw Refusal{cudaErrorNoDevice, {}};
  }
  if (sticky_error_ != cudaSuccess) {
    throw Refusal{sticky_error_, {}};
  }
}

bool Device::holds(const void* at, std::size_t bytes) const {
  return memory_.holds(at, bytes) || pinned_.holds(at, bytes);
}

std::string Device::text_of(const void* at) const {
  if (is_pageable(at)) {
    return "pageable memory at " + text_of_address(at);
  }
  return memory_.contains(at) ? memory_.text_of(at) : pinned_.text_of(at) + " (pinned)";
}

CUstream_st& Device::stream(cudaStream_t handle) {
  return handle == nullptr ? default_stream_ : known(streams_, handle, "stream");
}

void Device::put(CUstream_st& stream, Operation operation) {
  if (stream.capture != nullptr) {
    if (stream.capture->is_invalid) {
      throw Refusal{cudaErrorStreamCaptureInvalidated, {}};
    }
    stream.capture->actions.push_back(std::move(operation.run));
    return;
  }
  stream.queue.push_back(std::move(operation));
  if (settings.pace == Pace::kEager) {
    run([&] { run_all(stream); });
  }
}

void Device::run(const std::function<void()>& run) {
  struct Opened {
    explicit Opened(MemoryArena& arena) : memory(arena) { memory.open(); }
    ~Opened() { memory.close(); }
    MemoryArena& memory;
  };
  prepare_thread_for_crash_report();
  const Opened opened(memory_);
  run();
}

void Device::run_all_streams() {
  run([&] {
    run_all(default_stream_);
    for (const auto& [handle, stream] : streams_) {
      run_all(*stream);
    }
  });
}

void Device::refuse_while_capturing(const char* function) {
  bool is_forbidden = false;
  for (const auto& [handle, stream] : streams_) {
    Capture* const capture = stream->capture.get();
    if (capture != nullptr && capture->mode != cudaStreamCaptureModeRelaxed &&
        (capture->mode == cudaStreamCaptureModeGlobal ||
         capture->thread == std::this_thread::get_id())) {
      capture->is_invalid = true;
      is_forbidden = true;
    }
  }
  if (is_forbidden) {
    throw Refusal{cudaErrorStreamCaptureUnsupported,
                  std::string(function) + "() is not allowed while a stream is captured"};
  }
}

void Device::refuse_if_capturing(CUstream_st& stream, const char* function) {
  if (stream.capture != nullptr) {
    stream.capture->is_invalid = true;
    throw Refusal{cudaErrorStreamCaptureUnsupported,
                  std::string(function) + "() may not wait in a stream that is captured"};
  }
  refuse_while_capturing(function);
}

void Device::set_fault(const std::string& text) {
  report(text);
  last_fault_ = text;
  sticky_error_ = cudaErrorLaunchFailure;
}

void Device::reset() {
  executables_.clear();
  graphs_.clear();
  events_.clear();
  streams_.clear();
  default_stream_.queue.clear();
  memory_.release_all();
  pinned_.release_all();
  sticky_error_ = cudaSuccess;
  last_fault_.clear();
  counters_in_kernel = {};
}

}  // namespace vernal::cuda_sm86::emulator
