#include "text/jinja/builtins/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>

namespace vernal {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::size_t kAbbreviation = 3;

std::chrono::sys_days date_of(const LocalTime& time) {
  return std::chrono::year(time.year) / time.month / time.day;
}

std::size_t weekday_of(const LocalTime& time) {
  return std::chrono::weekday(date_of(time)).c_encoding();
}

std::string_view month_of(const LocalTime& time) {
  return kMonths.at(static_cast<std::size_t>(time.month - 1));
}

std::int64_t day_of_year(const LocalTime& time) {
  const std::chrono::sys_days new_year = std::chrono::year(time.year) / 1 / 1;
  return (date_of(time) - new_year).count() + 1;
}

std::int32_t hour_of_twelve(const LocalTime& time) {
  return time.hour % 12 == 0 ? 12 : time.hour % 12;
}

/// A number in decimal, with leading zeros up to `width` if `is_padded`.
std::string digits(std::int64_t number, int width, bool is_padded) {
  return is_padded ? fmt::format("{:0{}}", number, width) : fmt::to_string(number);
}

/// The text of a directive that stands for a number; empty for other directives.
std::string number_field(const LocalTime& time, char directive, bool is_padded) {
  switch (directive) {
    case 'd':
      return digits(time.day, 2, is_padded);
    case 'e':
      return is_padded ? fmt::format("{:2}", time.day) : fmt::to_string(time.day);
    case 'm':
      return digits(time.month, 2, is_padded);
    case 'y':
      return digits(time.year % 100, 2, is_padded);
    case 'Y':
      return digits(time.year, 1, false);
    case 'H':
      return digits(time.hour, 2, is_padded);
    case 'I':
      return digits(hour_of_twelve(time), 2, is_padded);
    case 'M':
      return digits(time.minute, 2, is_padded);
    case 'S':
      return digits(time.second, 2, is_padded);
    case 'f':
      return digits(time.microsecond, 6, true);
    case 'j':
      return digits(day_of_year(time), 3, is_padded);
    case 'w':
      return digits(static_cast<std::int64_t>(weekday_of(time)), 1, false);
    case 'u': {
      const std::size_t day = weekday_of(time);
      return digits(static_cast<std::int64_t>(day == 0 ? 7 : day), 1, false);
    }
    default:
      return {};
  }
}

/// The text of a directive that stands for a text; empty for other directives.
std::string text_field(const LocalTime& time, char directive) {
  switch (directive) {
    case 'a':
      return std::string(kDays.at(weekday_of(time)).substr(0, kAbbreviation));
    case 'A':
      return std::string(kDays.at(weekday_of(time)));
    case 'b':
    case 'h':
      return std::string(month_of(time).substr(0, kAbbreviation));
    case 'B':
      return std::string(month_of(time));
    case 'p':
      return time.hour < 12 ? "AM" : "PM";
    case 'c':
      return jinja::format_time(time, "%a %b %d %H:%M:%S %Y");
    case 'D':
    case 'x':
      return jinja::format_time(time, "%m/%d/%y");
    case 'F':
      return jinja::format_time(time, "%Y-%m-%d");
    case 'R':
      return jinja::format_time(time, "%H:%M");
    case 'T':
    case 'X':
      return jinja::format_time(time, "%H:%M:%S");
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return {};
  }
}

}  // namespace

Clock system_clock() {
  return [] {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto fraction = std::chrono::duration_cast<std::chrono::microseconds>(
        now.time_since_epoch() % std::chrono::seconds(1));
    std::tm local = {};
    localtime_r(&seconds, &local);
    return LocalTime{local.tm_year + 1900,
                     local.tm_mon + 1,
                     local.tm_mday,
                     local.tm_hour,
                     local.tm_min,
                     local.tm_sec,
                     static_cast<std::int32_t>(fraction.count())};
  };
}

namespace jinja {

std::string format_time(const LocalTime& time, std::string_view format) {
  std::string result;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      result.push_back(format[i]);
      continue;
    }
    const bool is_bare = format[i + 1] == '-' && i + 2 < format.size();
    const std::size_t at = i + (is_bare ? 2 : 1);
    std::string field = number_field(time, format[at], !is_bare);
    if (field.empty()) {
      field = text_field(time, format[at]);
    }
    const bool has_no_value = format[at] == 'z' || format[at] == 'Z';  // the time zone is not known
    result += field.empty() && !has_no_value ? std::string(format.substr(i, at - i + 1)) : field;
    i = at;
  }
  return result;
}

}  // namespace jinja
}  // namespace vernal
