// A line on the terminal that is written over and over while something long goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vernal {

/// Shows "loading main  42%  441.2 of 1051.6 MiB" on standard error; silent if that is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Redraws at most ten times a second.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);

 private:
  std::string what_;
  bool is_terminal_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace vernal
