// The copies to shared memory that a thread has started.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

namespace vernal::cuda_sm86::emulator {

/// Copies of 16 bytes in groups, as cp.async of the PTX manual has them. A copy that no wait covers
/// is never done: the kernel reads 0xFF.
class PendingCopies {
 public:
  void start(void* to, const void* from) {
    std::memset(to, 0xFF, kBytes);
    copies_.push_back({to, from, groups_});
  }

  /// Ends the group of the copies since the last call. A group may be empty.
  void commit() { ++groups_; }

  /// Does all copies but those of the `most` newest groups and those that belong to no group yet.
  void wait(unsigned most) {
    while (next_ < copies_.size() && copies_[next_].group + most < groups_) {
      std::memcpy(copies_[next_].to, copies_[next_].from, kBytes);
      ++next_;
    }
    if (next_ == copies_.size()) {
      drop();
    }
  }

  /// Forgets all copies.
  void drop() {
    copies_.clear();
    next_ = 0;
  }

 private:
  static constexpr std::size_t kBytes = 16;

  struct Copy {
    void* to;
    const void* from;
    std::size_t group;
  };

  std::vector<Copy> copies_;
  std::size_t next_ = 0;    // the first that is not done
  std::size_t groups_ = 0;  // complete ones
};

}  // namespace vernal::cuda_sm86::emulator
