#include "text/grammar/schema/shapes/finite_texts.hpp"

#include <fmt/format.h>

#include "text/grammar/regex/pattern.hpp"

namespace vernal::grammar {

bool finite_texts(RegexPool& pool, Re re, std::size_t limit, std::vector<std::u32string>& out) {
  constexpr std::size_t kMaxSteps = 5'000;
  struct Open {
    Re re;
    std::u32string text;
  };
  std::vector<Open> open{{re, {}}};
  for (std::size_t steps = 0; !open.empty(); ++steps) {
    const Open now = std::move(open.back());
    open.pop_back();
    if (pool.is_nullable(now.re)) {
      out.push_back(now.text);
    }
    if (out.size() > limit || steps > kMaxSteps || open.size() > limit || now.text.size() > 200) {
      return false;
    }
    std::uint32_t first = 0;
    for (const RegexStep& step : pool.steps(now.re)) {
      if (step.next != kNothing) {
        if (step.last - first > limit) {
          return false;
        }
        for (std::uint32_t letter = first; letter <= step.last; ++letter) {
          open.push_back({step.next, now.text + static_cast<char32_t>(letter)});
        }
      }
      first = step.last + 1;
    }
  }
  return true;
}

std::string json_string(std::u32string_view text) {
  std::string out = "\"";
  for (const char32_t letter : text) {
    if (letter == U'"' || letter == U'\\') {
      out += '\\';
      out += static_cast<char>(letter);
    } else if (letter < 0x20) {
      static constexpr std::string_view kShort = "btn?fr";  // from U+0008 on
      if (letter >= 8 && letter <= 13 && letter != 11) {
        out += '\\';
        out += kShort[letter - 8];
      } else {
        out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(letter));
      }
    } else {
      out += to_utf8(std::u32string_view(&letter, 1));
    }
  }
  return out + '"';
}

}  // namespace vernal::grammar
