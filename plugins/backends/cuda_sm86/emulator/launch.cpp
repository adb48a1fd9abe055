#include "emulator/launch.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "emulator/block.hpp"
#include "emulator/device.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

bool is_allowed(const Launch& launch) {
  const dim3 grid = launch.grid;
  const dim3 block = launch.block;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  constexpr unsigned kMostBlocksX = 0x7FFFFFFF;
  constexpr unsigned kMostBlocksYZ = 65535;
  return grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= kMostBlocksX &&
         grid.y <= kMostBlocksYZ && grid.z <= kMostBlocksYZ && threads >= 1 &&
         threads <= kMostThreads && block.z <= 64;
}

void run_launch(const Launch& launch) {
  Device& shared = device();
  block_runner().run(launch, shared.settings.schedule);
  if (const std::string damage = shared.memory().damage(); !damage.empty()) {
    throw Fault(damage + " by " + text_of(launch));
  }
}

}  // namespace

cudaError_t put_launch(cudaStream_t stream, Launch launch) {
  return answer([&](Device& shared) {
    if (!is_allowed(launch)) {
      throw Refusal{cudaErrorInvalidConfiguration,
                    text_of(launch) + ": a size is 0 or more than a device allows"};
    }
    shared.put(shared.stream(stream),
               {.run = [launch = std::move(launch)] { run_launch(launch); }, .after = nullptr});
    return cudaSuccess;
  });
}

cudaError_t check_pointer(const void* argument, const LaunchStream& stream) {
  return answer([&](Device& shared) {
    if (argument != nullptr && !shared.holds(argument, 0)) {
      throw Refusal{cudaErrorInvalidValue, "a kernel launched at " + text_of(stream.place) +
                                               " gets a pointer to " + shared.text_of(argument) +
                                               ", which the device does not reach"};
    }
    return cudaSuccess;
  });
}

}  // namespace vernal::cuda_sm86::emulator
