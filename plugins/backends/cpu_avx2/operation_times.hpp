// Where the time of steps goes, by kinds of operations (vernal/abi/profile.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vernal::cpu_avx2 {

/// Adds up the times that one worker sees. While it is off, steps do not read the clock. Engine thread.
class OperationTimes {
 public:
  using Clock = std::chrono::steady_clock;

  struct Row {
    std::string operation;  ///< "vernal.linear/1"
    std::uint64_t calls = 0;
    std::chrono::nanoseconds spent{0};
  };

  /// A row for each kind, by its number.
  explicit OperationTimes(const std::vector<std::string>& kinds) {
    for (const std::string& kind : kinds) rows_.push_back({kind, 0, {}});
  }

  bool is_on() const { return is_on_; }
  /// Sets all rows to zero, too.
  void set_on(bool is_on) {
    is_on_ = is_on;
    for (Row& row : rows_) row = {std::move(row.operation), 0, {}};
  }
  void add(std::uint32_t kind, Clock::duration spent) {
    ++rows_[kind].calls;
    rows_[kind].spent += std::chrono::duration_cast<std::chrono::nanoseconds>(spent);
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  bool is_on_ = false;
  std::vector<Row> rows_;
};

}  // namespace vernal::cpu_avx2
