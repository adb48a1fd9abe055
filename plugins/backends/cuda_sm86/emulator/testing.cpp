#include "emulator/testing.hpp"

#include <mutex>

#include "emulator/device.hpp"

namespace vernal::cuda_sm86::emulator {

std::string last_fault() {
  const std::scoped_lock lock(device().mutex);
  return device().last_fault();
}

Counters counters() {
  const std::scoped_lock lock(device().mutex);
  return counters_in_kernel;
}

void set_schedule(const Schedule& schedule) {
  const std::scoped_lock lock(device().mutex);
  device().settings.schedule = schedule;
}

void set_pace(Pace pace) {
  const std::scoped_lock lock(device().mutex);
  device().settings.pace = pace;
}

void set_memory_bytes(std::size_t bytes) {
  const std::scoped_lock lock(device().mutex);
  device().settings.memory_bytes = bytes;
}

void reset() {
  const std::scoped_lock lock(device().mutex);
  device().reset();
}

}  // namespace vernal::cuda_sm86::emulator
