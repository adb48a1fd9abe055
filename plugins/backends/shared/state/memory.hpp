// Memory of a pool as its bookkeeping sees it: regions that are reserved, copied, cleared, and
// moved to and from snapshots. Only the backend follows a pointer into them. So the same
// bookkeeping serves pages in host memory and pages on a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace vernal::backend {

/// `bytes` rounded up, so that what follows begins a cache line.
inline std::int64_t aligned_bytes(std::int64_t bytes) {
  constexpr std::int64_t kLine = 64;
  return (bytes + kLine - 1) / kLine * kLine;
}

/// A region of zeros. Owns its memory: a backend derives from it and frees in the destructor.
class Region {
 public:
  Region(std::byte* data, std::int64_t bytes) : data_(data), bytes_(bytes) {}
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  virtual ~Region() = default;

  /// Where it begins, 64-byte aligned. Only the backend may follow the pointer: it may be a
  /// device's.
  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::byte* data_;
  std::int64_t bytes_;
};

/// How a region is filled.
enum class RegionUse : std::uint8_t {
  kWhole,   ///< sooner or later all of it
  kSparse,  ///< perhaps only small parts
};

/// What a backend does with the memory of its pool. Calls come when pages and slots change hands,
/// never for each token. Engine thread only.
class Memory {
 public:
  virtual ~Memory() = default;

  /// A region of `bytes` >= 1; `what` names it in errors.
  /// Errors  RESOURCE_EXHAUSTED: there is no room
  virtual std::unique_ptr<Region> reserve(std::int64_t bytes, RegionUse use,
                                          std::string_view what) = 0;
  /// Both take effect after the steps submitted before, and before those submitted later.
  /// Ranges lie inside regions and do not overlap.
  virtual void copy(const std::byte* from, std::byte* to, std::int64_t bytes) = 0;
  virtual void clear(std::byte* at, std::int64_t bytes) = 0;

  /// The bytes of a range, for the host to read after the steps submitted before: the range itself
  /// where the host can read it, else `copy` filled with them. [blocks]
  virtual const std::byte* view(const std::byte* from, std::int64_t bytes,
                                std::vector<std::byte>& copy) = 0;
  /// Overwrites a range with bytes of the host, which may change when the call returns. [blocks]
  virtual void write(std::span<const std::byte> from, std::byte* to) = 0;
};

}  // namespace vernal::backend
