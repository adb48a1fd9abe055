#include "reserved_memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "vernal/error.hpp"
#include "vernal/host.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::int64_t kLargePage = std::int64_t{1} << 21;
constexpr std::int64_t kSmallPage = 4096;

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

void lock_memory(const std::byte* data, std::int64_t bytes, MemoryLock mode,
                 std::string_view what) {
  if (mode == MemoryLock::kNone || data == nullptr || bytes == 0) return;
  if (::mlock(data, static_cast<std::size_t>(bytes)) == 0) return;
  const std::string text = std::string(what) + ": " + std::to_string(bytes) +
                           " bytes cannot be locked in memory: " + std::strerror(errno);
  if (mode == MemoryLock::kRequired) throw Error(VERNAL_RESOURCE_EXHAUSTED, text);
  plugin_host().log(VERNAL_LOG_WARNING, "cpu_avx2", text);
}

ReservedMemory::ReservedMemory(std::int64_t bytes, Pages pages, std::string_view what)
    : mapping_bytes_(round_up(bytes, kSmallPage) + kLargePage), bytes_(bytes) {
  void* mapping = ::mmap(nullptr, static_cast<std::size_t>(mapping_bytes_), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, std::string(what) + ": no room for " +
                                               std::to_string(bytes) +
                                               " bytes: " + std::strerror(errno));
  }
  mapping_ = static_cast<std::byte*>(mapping);
  const auto address = reinterpret_cast<std::uintptr_t>(mapping_);
  const auto large = static_cast<std::uintptr_t>(kLargePage);
  data_ = mapping_ + ((address + large - 1) / large * large - address);
  // Only advice: without it, or where the system refuses, pages are small.
  ::madvise(data_, static_cast<std::size_t>(round_up(bytes, kSmallPage)),
            pages == Pages::kLarge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

ReservedMemory::~ReservedMemory() {
  if (mapping_ != nullptr) ::munmap(mapping_, static_cast<std::size_t>(mapping_bytes_));
}

ReservedMemory::ReservedMemory(ReservedMemory&& other) noexcept { *this = std::move(other); }

ReservedMemory& ReservedMemory::operator=(ReservedMemory&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_bytes_, other.mapping_bytes_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void ReservedMemory::discard(std::int64_t offset, std::int64_t bytes) const noexcept {
  const std::int64_t first = round_up(offset, kSmallPage);
  const std::int64_t last = (offset + bytes) / kSmallPage * kSmallPage;
  if (first < last) {
    ::madvise(data_ + first, static_cast<std::size_t>(last - first), MADV_DONTNEED);
  }
}

}  // namespace vernal::cpu_avx2
