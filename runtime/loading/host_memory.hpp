// How much memory this process may use on its machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace vernal {

/// Host memory in bytes, as the system tells of it. 0 stands for what it does not tell.
struct HostMemory {
  std::uint64_t machine_bytes = 0;    ///< of the machine in all
  std::uint64_t container_bytes = 0;  ///< the least limit of the container; 0: no limit
  std::uint64_t free_bytes = 0;       ///< what the machine could give away now
  std::uint64_t own_bytes = 0;        ///< that this process holds already and no file backs
  std::uint64_t resident_bytes = 0;   ///< that this process holds already in all

  /// The most the process may hold; 0 if nothing is known.
  std::uint64_t limit_bytes() const noexcept;
  /// What sets the limit, for messages.
  std::string_view limit_name() const noexcept;
};

/// Reads /proc and the control groups as they are now. Any thread.
///   root   where /proc and the mounts are looked for; another one is for tests
HostMemory read_host_memory(const std::filesystem::path& root = "/");

}  // namespace vernal
