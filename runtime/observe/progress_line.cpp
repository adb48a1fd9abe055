#include "observe/progress_line.hpp"

#include <fmt/format.h>

namespace vernal {

ProgressLine::ProgressLine(Log& log, std::string what) : log_(log), what_(std::move(what)) {}

ProgressLine::~ProgressLine() {
  if (is_drawn_) log_.clear_progress();
}

void ProgressLine::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (!log_.shows_progress() || total_bytes == 0 || (is_drawn_ && now < next_)) return;
  next_ = now + std::chrono::milliseconds(100);
  is_drawn_ = true;
  log_.show_progress(fmt::format(
      "{}  {}%  {:.1f} of {:.1f} MiB", what_, done_bytes * 100 / total_bytes,
      static_cast<double>(done_bytes) / 0x1p20, static_cast<double>(total_bytes) / 0x1p20));
}

}  // namespace vernal
