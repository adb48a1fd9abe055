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

void start_traffic() {
  const std::scoped_lock lock(device().mutex);
  traffic_watch().start();
}

void stop_traffic() {
  const std::scoped_lock lock(device().mutex);
  traffic_watch().stop();
}

Traffic traffic(const void* at, std::size_t bytes) {
  const std::scoped_lock lock(device().mutex);
  return traffic_watch().of(at, bytes);
}

Traffic device_traffic() {
  const std::scoped_lock lock(device().mutex);
  return traffic_watch().of(reinterpret_cast<const void*>(reachable.begin), reachable.bytes / 2);
}

Traffic pinned_traffic() {
  const std::scoped_lock lock(device().mutex);
  return traffic_watch().of(reinterpret_cast<const void*>(reachable.begin + reachable.bytes / 2),
                            reachable.bytes / 2);
}

std::vector<const void*> allocations_of(std::size_t bytes) {
  const std::scoped_lock lock(device().mutex);
  std::vector<const void*> out = device().memory().allocations_of(bytes);
  const std::vector<const void*> pinned = device().pinned().allocations_of(bytes);
  out.insert(out.end(), pinned.begin(), pinned.end());
  return out;
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
