// A regular file mapped into memory for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vernal {

/// How the pages of a mapping will be read. A hint for the kernel.
enum class MappingAdvice {
  kNormal,      ///< no hint
  kWillNeed,    ///< start reading the whole file now, in the background
  kSequential,  ///< read once from front to back: the kernel reads further ahead
  kNotNeeded,   ///< not read again soon: pages leave the process but stay in the page cache
};

/// A private, read-only mapping of one regular file. The bytes stay valid, at the same address,
/// until the object that holds the mapping is destroyed. A move passes the mapping to the new
/// object.
///
/// If another process shortens the file while it is mapped, later reads fault (SIGBUS). So replace
/// a model file by renaming a new file over it; never write into it.
/// Thread   the bytes may be read on any thread; only one thread at a time may use the object
class MappedFile {
 public:
  /// Maps `path` completely.
  /// Errors   VERNAL_NOT_FOUND: no such file
  ///          VERNAL_INVALID_ARGUMENT: the file is empty or not readable, is a loop of links, or is
  ///          no regular file but a folder, pipe, device or socket; opening never blocks
  ///          VERNAL_RESOURCE_EXHAUSTED: the address space does not suffice
  static MappedFile open(const std::filesystem::path& path,
                         MappingAdvice advice = MappingAdvice::kNormal);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  /// The whole file. It starts at the border of a page. Empty only after the object was moved from.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Tells the kernel how `part`, a piece of bytes(), will be read from now on. Never fails.
  void advise(std::span<const std::byte> part, MappingAdvice advice) const noexcept;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace vernal
