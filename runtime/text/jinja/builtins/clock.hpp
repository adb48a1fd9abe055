// The time that a template can ask for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vernal {

/// A moment of local time.
struct LocalTime {
  std::int32_t year = 1970;
  std::int32_t month = 1;  // 1 to 12
  std::int32_t day = 1;    // 1 to 31
  std::int32_t hour = 0;
  std::int32_t minute = 0;
  std::int32_t second = 0;
  std::int32_t microsecond = 0;
};

/// Where strftime_now gets the time from. A call of strftime_now calls it at most once, on the
/// thread of the rendering.
using Clock = std::function<LocalTime()>;

/// The clock of this machine, in its time zone.
Clock system_clock();

namespace jinja {

/// Python's strftime in the C locale. An unknown directive stays as it is.
std::string format_time(const LocalTime& time, std::string_view format);

}  // namespace jinja
}  // namespace vernal
