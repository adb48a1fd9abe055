// What a sleeping engine thread waits for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace vernal {

/// Remembers a call of notify() until the next wait(), so none is lost. Any number of threads
/// notify, one waits.
class WakeSignal {
 public:
  void notify() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_one();
  }

  /// Until notify(), or `until` if there is one.
  void wait(std::optional<std::chrono::steady_clock::time_point> until) {
    std::unique_lock lock(mutex_);
    const auto is_set = [this] { return is_set_; };
    if (until) {
      changed_.wait_until(lock, *until, is_set);
    } else {
      changed_.wait(lock, is_set);
    }
    is_set_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

}  // namespace vernal
