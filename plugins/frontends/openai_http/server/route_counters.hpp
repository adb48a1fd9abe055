// How many requests each route has answered with which status.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vernal::openai_http {

/// Statuses that are counted one by one; all others are counted together.
inline constexpr std::array<unsigned, 22> kCountedStatuses = {
    200, 204, 400, 401, 403, 404, 405, 408, 413, 414, 415,
    417, 431, 499, 500, 501, 502, 503, 504, 505, 429, 422};

/// Any thread. Counting allocates nothing.
class RouteCounters {
 public:
  /// Routes are numbered from 0; the last number stands for requests without a route.
  static constexpr std::size_t kMostRoutes = 64;
  static constexpr std::size_t kNoRoute = kMostRoutes - 1;

  void count(std::size_t route, unsigned status) noexcept {
    std::size_t column = 0;
    while (column < kCountedStatuses.size() && kCountedStatuses[column] != status) ++column;
    ++counts_[route < kMostRoutes ? route : kNoRoute][column];
  }

  /// Calls visit(route, status, count) for every count above 0. Status 0 stands for the others.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t route = 0; route < kMostRoutes; ++route) {
      for (std::size_t column = 0; column <= kCountedStatuses.size(); ++column) {
        const std::uint64_t count = counts_[route][column];
        const unsigned status = column < kCountedStatuses.size() ? kCountedStatuses[column] : 0;
        if (count > 0) visit(route, status, count);
      }
    }
  }

 private:
  std::array<std::array<std::atomic<std::uint64_t>, kCountedStatuses.size() + 1>, kMostRoutes>
      counts_{};
};

}  // namespace vernal::openai_http
