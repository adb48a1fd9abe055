// What the emulated device is, from the environment.
#pragma once

#include <cstddef>
#include <string>

#include "emulator/schedule.hpp"

namespace vernal::cuda_sm86::emulator {

/// When the operations of a stream run.
enum class Pace : std::uint8_t {
  kLazy,   ///< when somebody waits for them, as late as possible: finds what is not waited for
  kEager,  ///< as soon as they are put into the stream: finds what is prepared too late
};

struct Settings {
  Schedule schedule;                       ///< VERNAL_EMULATED_SCHEDULE, see schedule_of()
  Pace pace = Pace::kLazy;                 ///< VERNAL_EMULATED_STREAMS: lazy or eager
  std::size_t memory_bytes = 16ULL << 30;  ///< VERNAL_EMULATED_MEMORY_MIB: 1 .. 1048576
  int num_devices = 1;                     ///< VERNAL_EMULATED_DEVICES: 0 or 1
  /// What is wrong with a variable; empty if all are right.
  std::string error;
};

Settings settings_of_environment();

}  // namespace vernal::cuda_sm86::emulator
