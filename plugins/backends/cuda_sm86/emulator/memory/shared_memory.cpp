#include "emulator/memory/shared_memory.hpp"

#include <algorithm>
#include <cstring>

#include "emulator/sanitizers.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr std::size_t kArenaAlignment = 4096;
constexpr std::size_t kArenaBytes = 4 * SharedMemory::kMostBytes;
constexpr std::size_t kGapBytes = 64;  // before and after each object
constexpr int kGapByte = 0xC5;

bool is_gap(const std::byte* at) {
  return std::all_of(at, at + kGapBytes,
                     [](std::byte byte) { return byte == std::byte{kGapByte}; });
}

}  // namespace

SharedMemory::SharedMemory()
    : arena_(
          static_cast<std::byte*>(::operator new(kArenaBytes, std::align_val_t{kArenaAlignment}))) {
  forbid(arena_, kArenaBytes);
}

void SharedMemory::begin_block() {
  forbid(arena_, used_);
  used_ = 0;
  object_bytes_ = 0;
  objects_.clear();
}

void* SharedMemory::object(const void* key, const char* name, std::size_t bytes,
                           std::size_t alignment) {
  for (const Object& object : objects_) {
    if (object.key == key) {
      return object.at;
    }
  }
  // The next multiple of the alignment that is no multiple of twice the alignment.
  const std::size_t step = 2 * alignment;
  const std::size_t begin = (used_ + kGapBytes + step - 1) / step * step + alignment;
  const std::size_t end = begin + bytes + kGapBytes;
  if (object_bytes_ + bytes > kMostBytes || end > kArenaBytes) {
    return nullptr;
  }
  std::byte* const at = arena_ + begin;
  if (kAddressSanitizer) {
    allow(at, bytes);
  } else {
    std::memset(at - kGapBytes, kGapByte, kGapBytes);
    std::memset(at + bytes, kGapByte, kGapBytes);
  }
  std::memset(at, 0xFF, bytes);
  objects_.push_back({key, name, at, bytes});
  used_ = end;
  object_bytes_ += bytes;
  return at;
}

bool SharedMemory::contains(const void* at, std::size_t bytes) const {
  const auto* const begin = static_cast<const std::byte*>(at);
  return std::any_of(objects_.begin(), objects_.end(), [&](const Object& object) {
    return begin >= object.at && begin + bytes <= object.at + object.bytes;
  });
}

std::string SharedMemory::damaged_object() const {
  if (!kAddressSanitizer) {
    for (const Object& object : objects_) {
      if (!is_gap(object.at - kGapBytes) || !is_gap(object.at + object.bytes)) {
        return object.name;
      }
    }
  }
  return {};
}

}  // namespace vernal::cuda_sm86::emulator
