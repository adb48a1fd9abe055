#include "observe/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace vernal {

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (is_drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || total_bytes == 0 || (is_drawn_ && now < next_)) return;
  next_ = now + std::chrono::milliseconds(100);
  is_drawn_ = true;
  fmt::print(stderr, "\r\033[K{}  {}%  {:.1f} of {:.1f} MiB", what_, done_bytes * 100 / total_bytes,
             static_cast<double>(done_bytes) / 0x1p20, static_cast<double>(total_bytes) / 0x1p20);
  std::fflush(stderr);
}

}  // namespace vernal
