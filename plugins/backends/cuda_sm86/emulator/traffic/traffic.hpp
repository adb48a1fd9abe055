// Which bytes of global memory kernels and copies touch, for tests that compare them with what a plan
// says of a step.
//
// Memory moves in sectors of 32 bytes, so sectors are counted: a kernel that uses two bytes of each
// moves as much as one that uses all. A sector that one block of threads touches several times counts
// once for that block, and once for the launch.
//
// Accesses are known if the kernels were compiled with calls before each of them (access_hooks.cpp).
// Those of copy_async() and of copies are always known.
//
// Thread  those of the mutex of the device
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace vernal::cuda_sm86::emulator {

/// Bytes that are read, and bytes that are written.
struct MovedBytes {
  std::uint64_t read = 0;
  std::uint64_t written = 0;
};

/// What a range of memory has moved.
struct Traffic {
  MovedBytes by_blocks;    ///< each block of threads fetches its sectors itself
  MovedBytes by_launches;  ///< blocks of a launch share them; a copy counts as a launch
};

class TrafficWatch {
 public:
  /// Forgets everything and counts from now on.
  void start();
  void stop();

  // ---- from the emulator; they do nothing while it does not count
  void begin_launch();
  void end_block();
  void end_launch();
  /// An access of the running launch.
  void touch(const void* at, std::size_t bytes, bool is_write) {
    if (is_in_launch_) mark(at, bytes, is_write);
  }

  /// What the pages that [at, at + bytes) touches have moved. Allocations share no page.
  Traffic of(const void* at, std::size_t bytes) const;

 private:
  static constexpr std::uintptr_t kPageBytes = 4096;
  static constexpr std::uintptr_t kSectorBytes = 32;
  using Sectors = std::array<std::uint64_t, kPageBytes / kSectorBytes / 64>;

  /// By kind of access: 0 read, 1 written.
  struct Page {
    std::array<Sectors, 2> of_block = {};
    std::array<Sectors, 2> of_launch = {};
    std::array<std::uint64_t, 2> by_blocks = {};  // sectors
    std::array<std::uint64_t, 2> by_launches = {};
    bool is_in_block = false;
    bool is_in_launch = false;
  };

  void mark(const void* at, std::size_t bytes, bool is_write);
  Page& page_at(std::uintptr_t number);

  bool is_counting_ = false;
  bool is_in_launch_ = false;
  std::map<std::uintptr_t, Page> pages_;  // by address / kPageBytes
  std::uintptr_t newest_number_ = 0;      // the page touched last
  Page* newest_ = nullptr;
  std::vector<Page*> of_block_;
  std::vector<Page*> of_launch_;
};

/// The one that the emulator tells.
TrafficWatch& traffic_watch();

}  // namespace vernal::cuda_sm86::emulator
