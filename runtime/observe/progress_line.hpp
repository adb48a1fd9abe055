// A line on the terminal that is written over and over while something long goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "observe/log.hpp"

namespace vernal {

/// Shows "loading main  42%  441.2 of 1051.6 MiB" on the log's terminal, and nothing if it has none.
/// Lines of the log take its place; the next update draws it below them.
class ProgressLine {
 public:
  /// `log` outlives the object.
  ProgressLine(Log& log, std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Redraws at most ten times a second.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);

 private:
  Log& log_;
  std::string what_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace vernal
