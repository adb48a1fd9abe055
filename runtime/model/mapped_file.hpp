// A regular file mapped into memory for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vernal {

/// How the pages of a mapping will be read; a hint to the kernel's read-ahead.
enum class MappingAdvice {
  kNormal,      ///< no hint
  kWillNeed,    ///< start reading the whole file now, in the background
  kSequential,  ///< read once from front to back: larger read-ahead
  kNotNeeded,   ///< not read again soon: its pages leave the process, not the page cache
};

/// Read-only, private mapping of one regular file. The bytes stay valid, and at the same address,
/// until the object that holds the mapping is destroyed; moving it hands the mapping on.
/// A file that another process shortens while it is mapped makes later reads fault (SIGBUS):
/// replace a model file by renaming a new one over it, never by writing into it. Thread: the bytes
/// may be read from any thread; construction, moving and destruction are not shared.
class MappedFile {
 public:
  /// Maps `path` completely.
  /// Errors   VERNAL_NOT_FOUND: no such file.
  ///          VERNAL_INVALID_ARGUMENT: not a regular file (folder, pipe, device, socket: refused at
  ///          once, nothing blocks), empty, not readable, or a loop of links.
  ///          VERNAL_RESOURCE_EXHAUSTED: the address space does not suffice.
  static MappedFile open(const std::filesystem::path& path,
                         MappingAdvice advice = MappingAdvice::kNormal);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  /// The whole file; starts on a page border. Empty only after the object was moved from.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Hints at how `part`, a piece of bytes(), will be read from now on. Best effort: never fails.
  void advise(std::span<const std::byte> part, MappingAdvice advice) const noexcept;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace vernal
