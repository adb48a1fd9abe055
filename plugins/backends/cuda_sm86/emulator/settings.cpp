#include "emulator/settings.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

namespace vernal::cuda_sm86::emulator {
namespace {

std::optional<std::size_t> number_of(std::string_view text, std::size_t least, std::size_t most) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < least || number > most) {
    return std::nullopt;
  }
  return number;
}

std::optional<Pace> pace_of(std::string_view text) {
  if (text == "lazy") {
    return Pace::kLazy;
  }
  return text == "eager" ? std::optional(Pace::kEager) : std::nullopt;
}

// Calls `read` with the variable's text if it is set. `read` says whether it understood.
template <class Read>
void read_variable(const char* name, const char* expected, std::string& problem, const Read& read) {
  const char* const text = std::getenv(name);
  if (text != nullptr && !read(std::string_view(text)) && problem.empty()) {
    problem = std::string(name) + ": expected " + expected + ", found \"" + text + "\"";
  }
}

// Whether there is a value; `to` then gets it.
template <class Value, class To>
bool take(const std::optional<Value>& value, To& to) {
  if (value) {
    to = static_cast<To>(*value);
  }
  return value.has_value();
}

}  // namespace

Settings settings_of_environment() {
  Settings settings;
  read_variable("VERNAL_EMULATED_SCHEDULE",
                "forward, reverse, random, random:SEED, greedy_forward or greedy_reverse",
                settings.error,
                [&](std::string_view text) { return take(schedule_of(text), settings.schedule); });
  read_variable("VERNAL_EMULATED_STREAMS", "lazy or eager", settings.error,
                [&](std::string_view text) { return take(pace_of(text), settings.pace); });
  std::size_t memory_mib = settings.memory_bytes >> 20;
  read_variable(
      "VERNAL_EMULATED_MEMORY_MIB", "a number from 1 to 1048576", settings.error,
      [&](std::string_view text) { return take(number_of(text, 1, 1048576), memory_mib); });
  settings.memory_bytes = memory_mib << 20;
  read_variable("VERNAL_EMULATED_DEVICES", "0 or 1", settings.error, [&](std::string_view text) {
    return take(number_of(text, 0, 1), settings.num_devices);
  });
  return settings;
}

}  // namespace vernal::cuda_sm86::emulator
