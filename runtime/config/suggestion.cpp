#include "config/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace vernal {
namespace {

/// Letters to insert, remove, replace or swap with their neighbour to get from `a` to `b`, in
/// O(|a| |b|) time and O(|b|) space.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);  // distances of a's first i - 1 letters
  std::vector<std::size_t> last(b.size() + 1);    // of i
  std::vector<std::size_t> next(b.size() + 1);    // of i + 1
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      next[j + 1] = std::min({last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, next[j] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) {
        next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
      }
    }
    before.swap(last);
    last.swap(next);
  }
  return last.back();
}

// Longer names are not compared, because the distance takes quadratic time.
constexpr std::size_t kLongestName = 64;

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.size() > kLongestName) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < name.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  // A whole word of a longer name is found too: "tokens" in "kv_tokens".
  const auto holds = [&](std::string_view c) {
    return name.size() > 3 && (c.find(name) != c.npos || name.find(c) != name.npos);
  };
  const auto found = std::ranges::find_if(candidates, holds);
  return found != candidates.end() ? *found : std::string_view{};
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view nearest = nearest_name(name, candidates);
  return nearest.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", nearest);
}

}  // namespace vernal
