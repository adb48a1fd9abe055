// The runtime's functions about streams and events.

#include <chrono>
#include <memory>

#include "emulator/device.hpp"
#include "emulator/include/cuda_runtime_api.h"

namespace vernal::cuda_sm86::emulator {
namespace {

// The moment that the event names; null if it was never recorded.
// Errors  throws Refusal: the event was recorded in a capture, so no moment belongs to it
std::shared_ptr<Moment> moment_of(CUevent_st& event, const char* function) {
  if (event.is_captured) {
    throw Refusal{cudaErrorCapturedEvent,
                  std::string(function) + "() of an event that was last recorded in a capture"};
  }
  return event.moment;
}

cudaError_t wait_in_capture(CUstream_st& stream, const CUevent_st& event) {
  const std::shared_ptr<Capture> other = event.capture.lock();
  if (event.is_captured && other == stream.capture) {
    return cudaSuccess;  // the stream comes behind its own events in any case
  }
  stream.capture->is_invalid = true;
  throw Refusal{cudaErrorStreamCaptureIsolation,
                "cudaStreamWaitEvent() in a capture, for an event that is not in the capture"};
}

}  // namespace

// A function of the C language is the same in each namespace.
extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* made, unsigned flags) {
  return answer([&](Device& shared) {
    if (flags != cudaStreamNonBlocking) {
      throw Refusal{cudaErrorNotSupported,
                    "cudaStreamCreateWithFlags() knows only cudaStreamNonBlocking"};
    }
    *made = shared.add_stream();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return answer([&](Device& shared) {
    if (stream == nullptr) {
      return cudaErrorInvalidResourceHandle;
    }
    CUstream_st& queue = shared.stream(stream);
    shared.run([&] { run_all(queue); });
    shared.remove(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    shared.refuse_if_capturing(queue, "cudaStreamSynchronize");
    shared.run([&] { run_all(queue); });
    return cudaSuccess;
  });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    shared.refuse_if_capturing(queue, "cudaStreamQuery");
    shared.run([&] { run_one(queue); });
    return queue.queue.empty() ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    CUevent_st& awaited = shared.event(event);
    if (flags != 0) {
      return cudaErrorInvalidValue;
    }
    if (queue.capture != nullptr) {
      return wait_in_capture(queue, awaited);
    }
    if (const std::shared_ptr<Capture> capture = awaited.capture.lock();
        awaited.is_captured && capture != nullptr) {
      capture->is_invalid = true;
      throw Refusal{cudaErrorNotSupported,
                    "cudaStreamWaitEvent() would put a second stream into a capture; the emulator "
                    "captures one"};
    }
    const std::shared_ptr<Moment> moment = moment_of(awaited, "cudaStreamWaitEvent");
    if (moment != nullptr && !moment->is_reached) {
      shared.put(queue, {.run = nullptr, .after = moment});
    }
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return answer([&](Device& shared) {
    if ((flags & ~unsigned{cudaEventBlockingSync | cudaEventDisableTiming}) != 0) {
      return cudaErrorInvalidValue;
    }
    *event = shared.add_event();
    (*event)->is_timed = (flags & cudaEventDisableTiming) == 0;
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return answer([&](Device& shared) {
    shared.remove(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    CUevent_st& recorded = shared.event(event);
    recorded.capture = queue.capture;
    recorded.is_captured = queue.capture != nullptr;
    if (recorded.is_captured) {
      recorded.moment = nullptr;
      return cudaSuccess;
    }
    const auto moment = std::make_shared<Moment>();
    moment->stream = &queue;
    recorded.moment = moment;
    const auto reach = [moment] {
      moment->is_reached = true;
      moment->time = std::chrono::steady_clock::now();
    };
    shared.put(queue, {.run = reach, .after = nullptr});
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return answer([&](Device& shared) {
    shared.refuse_while_capturing("cudaEventQuery");
    const std::shared_ptr<Moment> moment = moment_of(shared.event(event), "cudaEventQuery");
    if (moment == nullptr) {
      return cudaSuccess;
    }
    if (!moment->is_reached) {
      shared.run([&] { run_one(*moment->stream); });
    }
    return moment->is_reached ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return answer([&](Device& shared) {
    shared.refuse_while_capturing("cudaEventSynchronize");
    const std::shared_ptr<Moment> moment = moment_of(shared.event(event), "cudaEventSynchronize");
    if (moment != nullptr && !moment->is_reached) {
      shared.run([&] { run_until(*moment); });
    }
    return cudaSuccess;
  });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  return answer([&](Device& shared) {
    const std::shared_ptr<Moment> from = moment_of(shared.event(start), "cudaEventElapsedTime");
    const std::shared_ptr<Moment> to = moment_of(shared.event(end), "cudaEventElapsedTime");
    if (from == nullptr || to == nullptr || !start->is_timed || !end->is_timed) {
      return cudaErrorInvalidResourceHandle;
    }
    if (!from->is_reached || !to->is_reached) {
      return cudaErrorNotReady;
    }
    *ms = std::chrono::duration<float, std::milli>(to->time - from->time).count();
    return cudaSuccess;
  });
}

}  // extern "C"

}  // namespace vernal::cuda_sm86::emulator
