// What tests ask the emulator, beyond the runtime's interface.
//
// Thread  any
#pragma once

#include <string>

#include "emulator/counters.hpp"
#include "emulator/schedule.hpp"
#include "emulator/settings.hpp"

namespace vernal::cuda_sm86::emulator {

/// The text of the last fault, as it went to stderr; empty if there was none.
std::string last_fault();

Counters counters();

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
