// What tests ask the emulator, beyond the runtime's interface.
//
// Thread  any
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "emulator/counters.hpp"
#include "emulator/schedule.hpp"
#include "emulator/settings.hpp"
#include "emulator/traffic/traffic.hpp"

namespace vernal::cuda_sm86::emulator {

/// The text of the last fault, as it went to stderr; empty if there was none.
std::string last_fault();

Counters counters();

/// Counts what is read and written of global memory from now on, until stop_traffic(). Kernels count if
/// they were compiled with access hooks (traffic/access_hooks.cpp).
void start_traffic();
void stop_traffic();
/// What [at, at + bytes), one or more allocations, has moved since start_traffic().
Traffic traffic(const void* at, std::size_t bytes);
/// All that lies in memory of the device, and all in pinned memory.
Traffic device_traffic();
Traffic pinned_traffic();
/// Where the allocations of so many bytes lie.
std::vector<const void*> allocations_of(std::size_t bytes);

/// Replaces what the environment says, for kernels that run from now on.
void set_schedule(const Schedule& schedule);
/// The same for operations that are put into streams from now on.
void set_pace(Pace pace);
/// The same for allocations from now on.
void set_memory_bytes(std::size_t bytes);

/// Forgets all faults, counters, memory, streams, events and graphs. No handle or pointer of before
/// may be used again. The settings stay.
void reset();

}  // namespace vernal::cuda_sm86::emulator
