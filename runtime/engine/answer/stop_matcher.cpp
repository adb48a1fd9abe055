#include "engine/answer/stop_matcher.hpp"

#include <algorithm>
#include <utility>

namespace vernal {

std::string StopMatcher::push(std::string_view piece) {
  if (found_) {
    return {};
  }
  if (stops_.empty()) {
    return std::string(piece);
  }
  held_ += piece;
  const std::size_t stop = find_stop();
  if (stop != std::string::npos) {
    held_.resize(stop);
    return std::exchange(held_, {});
  }
  const std::size_t keep_from = begin_of_partial();
  std::string ready = held_.substr(0, keep_from);
  held_.erase(0, keep_from);
  return ready;
}

std::string StopMatcher::flush() { return std::exchange(held_, {}); }

std::size_t StopMatcher::find_stop() {
  std::size_t first = std::string::npos;
  const std::string* longest = nullptr;
  for (const std::string& stop : stops_) {
    const std::size_t at = held_.find(stop);
    const bool is_longer = at != std::string::npos && at == first && stop.size() > longest->size();
    if (at < first || is_longer) {
      first = at;
      longest = &stop;
    }
  }
  if (longest != nullptr) {
    found_ = *longest;
  }
  return first;
}

std::size_t StopMatcher::begin_of_partial() const noexcept {
  std::size_t begin = held_.size();
  for (const std::string& stop : stops_) {
    const std::size_t longest = std::min(stop.size() - 1, held_.size());
    for (std::size_t length = longest; length > held_.size() - begin; --length) {
      if (held_.compare(held_.size() - length, length, stop, 0, length) == 0) {
        begin = held_.size() - length;
        break;
      }
    }
  }
  return begin;
}

}  // namespace vernal
