#include "stdin_repl/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "stdin_repl/utf8.hpp"

namespace vernal::stdin_repl {
namespace {

// Control sequences of ECMA-48: select graphic rendition, and erase in line.
constexpr std::string_view kQuiet = "\033[2m";
constexpr std::string_view kAlarm = "\033[31m";
constexpr std::string_view kOrdinary = "\033[0m";
constexpr std::string_view kEraseLine = "\r\033[K";

}  // namespace

void Screen::line(std::string_view text) const { console_.write(visible_text(text) + "\n"); }

void Screen::note(std::string_view text) const {
  const std::string shown = visible_text(text);
  console_.write(has_styles_ ? fmt::format("{}{}{}\n", kQuiet, shown, kOrdinary) : shown + "\n");
}

void Screen::error(std::string_view text) const {
  std::string shown = visible_text(text);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  console_.write(has_styles_ ? fmt::format("{}error:{} {}\n", kAlarm, kOrdinary, shown)
                             : fmt::format("error: {}\n", shown));
}

void Screen::text(std::string_view text) const { console_.write(visible_text(text)); }

void Screen::set_quiet(bool is_quiet) const {
  if (has_styles_) console_.write(is_quiet ? kQuiet : kOrdinary);
}

void Screen::passing(std::string_view text) const {
  if (!has_styles_) return;
  console_.write(fmt::format("{}{}{}{}", kEraseLine, kQuiet, visible_text(text), kOrdinary));
}

void Screen::erase_line() const {
  if (has_styles_) console_.write(kEraseLine);
}

}  // namespace vernal::stdin_repl
