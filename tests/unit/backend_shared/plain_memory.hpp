// Memory of a pool for tests: the heap.
#pragma once

#include <cstring>
#include <vector>

#include "shared/state/memory.hpp"

namespace vernal::backend {

class PlainMemory final : public Memory {
 public:
  std::unique_ptr<Region> reserve(std::int64_t bytes, RegionUse, std::string_view) override {
    return std::make_unique<PlainRegion>(static_cast<std::size_t>(bytes));
  }
  void copy(const std::byte* from, std::byte* to, std::int64_t bytes) override {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
  void clear(std::byte* at, std::int64_t bytes) override {
    std::memset(at, 0, static_cast<std::size_t>(bytes));
  }
  const std::byte* view(const std::byte* from, std::int64_t, std::vector<std::byte>&) override {
    return from;
  }
  void write(std::span<const std::byte> from, std::byte* to) override {
    std::memcpy(to, from.data(), from.size());
  }

 private:
  struct Storage {
    explicit Storage(std::size_t size) : bytes(size) {}
    std::vector<std::byte> bytes;
  };
  /// The storage is a base, so that it is there before the region points to it.
  struct PlainRegion final : Storage, Region {
    explicit PlainRegion(std::size_t size)
        : Storage(size), Region(Storage::bytes.data(), static_cast<std::int64_t>(size)) {}
  };
};

}  // namespace vernal::backend
