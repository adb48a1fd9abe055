// What a measurement ran on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace vernal {

/// Numbers are 0 and texts empty where the system does not tell.
struct MachineDescription {
  std::string processor;             ///< as the processor names itself
  std::string instruction_level;     ///< greatest x86-64 level that it has: "x86-64-v4"
  std::uint32_t num_threads = 0;     ///< hardware threads that this process may run on
  std::uint32_t num_cores = 0;       ///< cores that these belong to, as the system tells
  std::uint64_t memory_bytes = 0;    ///< of the machine, or the limit of its container
  double compute_scaling = 0;        ///< see measure_compute_scaling()
  double one_thread_bandwidth = 0;   ///< bytes per second that one thread reads from memory
  double all_threads_bandwidth = 0;  ///< likewise all of them at once
};

/// Reads what the system tells; measures nothing.
///   root   where /proc and /sys are looked for; another one is for tests
MachineDescription describe_machine(const std::filesystem::path& root = "/");

/// How much more `num_threads` threads compute at once than one of them alone, out of registers: near
/// their number if each has a core to itself, near 1 if they are siblings of one core. Virtual
/// machines often call siblings cores; this asks the processor itself. Takes a tenth of a second.
double measure_compute_scaling(std::uint32_t num_threads);

/// "2 threads on 2 cores", with a remark if they compute as siblings do.
std::string cores_text(const MachineDescription& machine);

}  // namespace vernal
