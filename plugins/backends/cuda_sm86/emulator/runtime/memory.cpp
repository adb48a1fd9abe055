// The runtime's functions about memory and copies.

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "emulator/counters.hpp"
#include "emulator/device.hpp"
#include "emulator/include/cuda_runtime_api.h"
#include "emulator/traffic/traffic.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr unsigned kKnownHostFlags =
    cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;

// Gives memory back, after everything that may use it has run.
cudaError_t release(Device& shared, MemoryArena& arena, void* at, const char* function) {
  if (at == nullptr) {
    return cudaSuccess;
  }
  shared.refuse_while_capturing(function);
  shared.run_all_streams();
  std::string damage;
  shared.run([&] { damage = arena.damage(); });
  if (!damage.empty()) {
    throw Fault(damage + "; found by " + function + "()");
  }
  if (!arena.release(at)) {
    throw Refusal{cudaErrorInvalidValue, std::string(function) + "() of " + shared.text_of(at)};
  }
  return cudaSuccess;
}

struct Transfer {
  void* to = nullptr;
  const void* from = nullptr;
  std::size_t bytes = 0;
};

// Whether the device may read or write the range.
void check_range(const Device& shared, const void* at, std::size_t bytes, const char* what) {
  if (!shared.is_pageable(at) && !shared.holds(at, bytes)) {
    throw Refusal{cudaErrorInvalidValue, std::string(what) + " of " + std::to_string(bytes) +
                                             " bytes is not in one allocation: it begins at " +
                                             shared.text_of(at)};
  }
}

void check_direction(Device& shared, const Transfer& transfer, cudaMemcpyKind kind) {
  const bool to_device = shared.memory().contains(transfer.to);
  const bool from_device = shared.memory().contains(transfer.from);
  const bool wants_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool wants_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault && (to_device != wants_to || from_device != wants_from)) {
    throw Refusal{cudaErrorInvalidMemcpyDirection,
                  "a copy goes from " + shared.text_of(transfer.from) + " to " +
                      shared.text_of(transfer.to) + ", but its kind says otherwise"};
  }
}

void count_traffic(const Device& shared, const Transfer& transfer) {
  TrafficWatch& watch = traffic_watch();
  watch.begin_launch();
  if (!shared.is_pageable(transfer.from)) watch.touch(transfer.from, transfer.bytes, false);
  if (!shared.is_pageable(transfer.to)) watch.touch(transfer.to, transfer.bytes, true);
  watch.end_launch();
}

void do_transfer(const Transfer& transfer) {
  Device& shared = device();
  try {
    check_range(shared, transfer.to, transfer.bytes, "the target of a copy");
    check_range(shared, transfer.from, transfer.bytes, "the source of a copy");
  } catch (const Refusal& refusal) {
    throw Fault("when a copy ran: " + refusal.text);
  }
  std::memcpy(transfer.to, transfer.from, transfer.bytes);
  count_traffic(shared, transfer);
  ++counters_in_kernel.copies;
  counters_in_kernel.copied_bytes += transfer.bytes;
}

// Puts a copy into the stream. Whether it has to run before the call returns.
bool put_transfer(Device& shared, CUstream_st& stream, const Transfer& transfer) {
  const bool is_staged = shared.is_pageable(transfer.from);
  const bool must_end = shared.is_pageable(transfer.to);
  if (stream.capture != nullptr && (is_staged || must_end)) {
    shared.refuse_if_capturing(stream, "cudaMemcpyAsync");
  }
  Action run = [transfer] { do_transfer(transfer); };
  if (is_staged) {
    const auto* const begin = static_cast<const std::byte*>(transfer.from);
    auto stage = std::make_shared<std::vector<std::byte>>(begin, begin + transfer.bytes);
    run = [transfer, stage] { do_transfer({transfer.to, stage->data(), transfer.bytes}); };
  }
  shared.put(stream, {.run = std::move(run), .after = nullptr});
  return must_end;
}

void check_transfer(Device& shared, const Transfer& transfer, cudaMemcpyKind kind) {
  check_direction(shared, transfer, kind);
  check_range(shared, transfer.to, transfer.bytes, "the target of a copy");
  check_range(shared, transfer.from, transfer.bytes, "the source of a copy");
}

}  // namespace

// A function of the C language is the same in each namespace.
extern "C" {

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return answer([&](Device& shared) {
    *total = shared.settings.memory_bytes;
    *free = *total - shared.memory().allocated_bytes();
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** at, size_t size) {
  return answer([&](Device& shared) {
    shared.refuse_while_capturing("cudaMalloc");
    *at = nullptr;
    if (size == 0) {
      return cudaSuccess;
    }
    if (size > shared.settings.memory_bytes - shared.memory().allocated_bytes()) {
      return cudaErrorMemoryAllocation;
    }
    *at = shared.memory().allocate(size);
    return *at == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* at) {
  return answer([&](Device& shared) { return release(shared, shared.memory(), at, "cudaFree"); });
}

cudaError_t cudaHostAlloc(void** host, size_t size, unsigned flags) {
  return answer([&](Device& shared) {
    shared.refuse_while_capturing("cudaHostAlloc");
    *host = nullptr;
    if ((flags & ~kKnownHostFlags) != 0) {
      return cudaErrorInvalidValue;
    }
    if (size == 0) {
      return cudaSuccess;
    }
    *host = shared.pinned().allocate(size);
    return *host == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFreeHost(void* ptr) {
  return answer(
      [&](Device& shared) { return release(shared, shared.pinned(), ptr, "cudaFreeHost"); });
}

cudaError_t cudaHostGetDevicePointer(void** mapped, void* host, unsigned flags) {
  return answer([&](Device& shared) {
    if (flags != 0 || !shared.pinned().holds(host, 1)) {
      return cudaErrorInvalidValue;
    }
    *mapped = host;
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t count, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return answer([&](Device& shared) {
    if (count == 0) {
      return cudaSuccess;
    }
    CUstream_st& queue = shared.stream(stream);
    const Transfer transfer = {dst, src, count};
    check_transfer(shared, transfer, kind);
    if (put_transfer(shared, queue, transfer)) {
      shared.run([&] { run_all(queue); });
    }
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* dst, const void* src, size_t count, cudaMemcpyKind kind) {
  return answer([&](Device& shared) {
    shared.refuse_while_capturing("cudaMemcpy");
    const Transfer transfer = {dst, src, count};
    CUstream_st& queue = shared.stream(nullptr);
    if (count != 0) {
      check_transfer(shared, transfer, kind);
      put_transfer(shared, queue, transfer);
    }
    shared.run([&] { run_all(queue); });
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* at, int value, size_t count, cudaStream_t stream) {
  return answer([&](Device& shared) {
    if (count == 0) {
      return cudaSuccess;
    }
    CUstream_st& queue = shared.stream(stream);
    const auto check = [=, &shared] {
      if (!shared.holds(at, count)) {
        throw Refusal{cudaErrorInvalidValue, "cudaMemsetAsync() of " + std::to_string(count) +
                                                 " bytes at " + shared.text_of(at) +
                                                 ": they are not in one allocation"};
      }
    };
    check();
    const auto fill = [=] {
      try {
        check();
      } catch (const Refusal& refusal) {
        throw Fault("when a fill ran: " + refusal.text);
      }
      MemoryArena::set(at, value, count);
      ++counters_in_kernel.fills;
    };
    shared.put(queue, {.run = fill, .after = nullptr});
    return cudaSuccess;
  });
}

}  // extern "C"

}  // namespace vernal::cuda_sm86::emulator
