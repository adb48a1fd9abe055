#include "loading/host_memory.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include "vernal/container_limits.hpp"

namespace vernal {
namespace {

/// Bytes of the line "NAME:  123 kB" of a file in /proc; 0 if there is none.
std::uint64_t line_bytes(const std::filesystem::path& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    std::istringstream rest(line.substr(name.size() + 1));
    std::uint64_t kibibytes = 0;
    rest >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

bool is_container_tighter(const HostMemory& memory) {
  return memory.container_bytes != 0 &&
         (memory.machine_bytes == 0 || memory.container_bytes < memory.machine_bytes);
}

}  // namespace

std::uint64_t HostMemory::limit_bytes() const noexcept {
  return is_container_tighter(*this) ? container_bytes : machine_bytes;
}

std::string_view HostMemory::limit_name() const noexcept {
  return is_container_tighter(*this) ? "the limit of its container" : "the memory of the machine";
}

HostMemory read_host_memory(const std::filesystem::path& root) {
  HostMemory out;
  out.machine_bytes = line_bytes(root / "proc/meminfo", "MemTotal");
  out.free_bytes = line_bytes(root / "proc/meminfo", "MemAvailable");
  out.own_bytes = line_bytes(root / "proc/self/status", "RssAnon");
  out.resident_bytes = line_bytes(root / "proc/self/status", "VmRSS");
  out.container_bytes = read_container_limits(root).memory_bytes.value_or(0);
  return out;
}

}  // namespace vernal
