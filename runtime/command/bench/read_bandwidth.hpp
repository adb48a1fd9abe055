// What the machine's memory can deliver: the yardstick of decode speed.
#pragma once

#include <cstdint>

namespace vernal {

/// Bytes per second that `num_threads` threads read together from memory: the best of several
/// passes over a buffer far larger than any cache, half of which ask for memory ahead of its use,
/// as kernels do: some processors read a third faster so. Takes about a second and 512 MiB.
double measure_read_bandwidth(std::uint32_t num_threads);

}  // namespace vernal
