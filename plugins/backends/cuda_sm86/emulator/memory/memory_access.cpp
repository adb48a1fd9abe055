#include "emulator/memory/memory_access.hpp"

#include <cstdio>
#include <string>

#include "emulator/block.hpp"
#include "emulator/traffic/traffic.hpp"

namespace vernal::cuda_sm86::emulator {

std::string text_of_address(const void* at) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", at);
  return text;
}

AddressRange reachable;

void* shared_object(const void* key, const char* name, std::size_t bytes, std::size_t alignment) {
  BlockRunner& runner = block_runner();
  void* const at = runner.shared_memory().object(key, name, bytes, alignment);
  if (at == nullptr) {
    runner.fail("declares `" + std::string(name) + "` of " + std::to_string(bytes) +
                    " bytes; a block has at most " + std::to_string(SharedMemory::kMostBytes) +
                    " bytes of shared memory in all",
                Place::current());
  }
  return at;
}

void refuse_access(const char* function, const void* at, Place place, std::size_t alignment) {
  const std::string why = reinterpret_cast<std::uintptr_t>(at) % alignment == 0
                              ? ", which is no memory of the device or pinned memory"
                              : ", which is no multiple of " + std::to_string(alignment);
  block_runner().fail("calls " + std::string(function) + " with " + text_of_address(at) + why,
                      place);
}

void copy_async(void* shared, const void* global, Place place) {
  BlockRunner& runner = block_runner();
  if (!reachable.contains(global) || !is_aligned_16(global)) {
    refuse_access("copy_async from", global, place);
  }
  if (!is_aligned_16(shared)) {
    refuse_access("copy_async to", shared, place);
  }
  if (!runner.shared_memory().contains(shared, 16)) {
    runner.fail("calls copy_async to " + text_of_address(shared) +
                    ", but 16 bytes from there are not in one object of shared memory",
                place);
  }
  counters_in_kernel.copy_async_bytes += 16;
  traffic_watch().touch(global, 16, false);
  runner.thread().copies.start(shared, global);
}

void commit_copies() { block_runner().thread().copies.commit(); }

void wait_until_pending(int most) {
  block_runner().thread().copies.wait(static_cast<unsigned>(most));
}

}  // namespace vernal::cuda_sm86::emulator
