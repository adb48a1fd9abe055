#include "config/units.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 9> kSizeUnits{{{"B", 1.0},
                                          {"KiB", 0x1p10},
                                          {"MiB", 0x1p20},
                                          {"GiB", 0x1p30},
                                          {"TiB", 0x1p40},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"TB", 1e12}}};
constexpr std::array<Unit, 4> kDurationUnits{{{"ms", 1.0}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}}};

// A double holds every integer up to 2^53. No real size or duration comes near.
constexpr double kGreatest = 0x1p53;

/// The same number with the unit that was probably meant: "4gb" becomes "4GB".
std::string suggest(double number, std::string_view unit, std::span<const std::string_view> names) {
  const auto same_but_case = [&](std::string_view name) {
    return std::ranges::equal(name, unit, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
  };
  const auto found = std::ranges::find_if(names, same_but_case);
  return found == names.end() || !std::isfinite(number) || number < 0
             ? std::string{}
             : fmt::format("; did you mean \"{}{}\"?", number, *found);
}

std::uint64_t parse(std::string_view text, std::span<const Unit> units, std::string_view example) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (error == std::errc{} && std::isfinite(number) && number >= 0) {
    for (const Unit& known : units) {
      if (unit == known.name && number * known.factor < kGreatest) {
        return static_cast<std::uint64_t>(std::llround(number * known.factor));
      }
    }
  }
  std::vector<std::string_view> names;
  for (const Unit& known : units) names.push_back(known.name);
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("expected a number with a unit ({}), such as {}, found \"{}\"{}",
                          fmt::join(names, ", "), example, printable(text, 60),
                          suggest(number, unit, names)));
}

}  // namespace

std::uint64_t parse_size(std::string_view text) { return parse(text, kSizeUnits, "\"4GiB\""); }

std::uint64_t parse_duration_ms(std::string_view text) {
  return parse(text, kDurationUnits, "\"30s\"");
}

std::string format_size(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value >= 0x1p30) return fmt::format("{:.2f} GiB", value / 0x1p30);
  if (value >= 0x1p20) return fmt::format("{:.2f} MiB", value / 0x1p20);
  if (value >= 0x1p10) return fmt::format("{:.2f} KiB", value / 0x1p10);
  return fmt::format("{} B", bytes);
}

}  // namespace vernal
