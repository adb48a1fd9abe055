#include "command/bench/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vernal/error.hpp"

namespace vernal {
namespace {

/// A speed that both results have.
struct CommonSpeed {
  std::string name;
  std::uint64_t depth = 0;
  double first = 0;
  double second = 0;
};

const BenchSeries* find_series(const std::vector<BenchSeries>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &BenchSeries::name);
  return found == all.end() ? nullptr : &*found;
}

std::size_t count_points(const std::vector<BenchSeries>& all) {
  std::size_t count = 0;
  for (const BenchSeries& series : all) count += series.points.size();
  return count;
}

std::vector<CommonSpeed> common_speeds(const std::vector<BenchSeries>& first,
                                       const std::vector<BenchSeries>& second) {
  std::vector<CommonSpeed> out;
  for (const BenchSeries& series : first) {
    const BenchSeries* const other = find_series(second, series.name);
    if (other == nullptr) continue;
    for (const auto& [depth, speed] : series.points) {
      const auto found =
          std::ranges::find(other->points, depth, [](const auto& point) { return point.first; });
      if (found != other->points.end()) out.push_back({series.name, depth, speed, found->second});
    }
  }
  return out;
}

std::string heading(char letter, const BenchResult& result) {
  std::string backends;
  for (const auto& [name, text] : result.backends) backends += "; " + text;
  return fmt::format("{}: {} on {}, {}, {:.1f} GB/s{}\n", letter, result.model,
                     result.machine.processor, cores_text(result.machine),
                     result.read_bandwidth / 1e9, backends);
}

}  // namespace

std::string comparison_text(const BenchResult& first, const BenchResult& second) {
  const std::vector<BenchSeries> of_first = series_of(first);
  const std::vector<BenchSeries> of_second = series_of(second);
  const std::vector<CommonSpeed> speeds = common_speeds(of_first, of_second);
  if (speeds.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                "the two results have no speed in common: no measure at the same depth");
  }
  std::string out = heading('A', first) + heading('B', second);
  if (first.model != second.model) out += "They are of different models.\n";
  out += fmt::format("{:>14}  {:>8}  {:>12}  {:>12}  {:>7}   tokens/s\n", "measure", "depth", "A",
                     "B", "B / A");
  double logarithms = 0;
  for (const CommonSpeed& speed : speeds) {
    const double ratio = speed.second / speed.first;
    logarithms += std::log(ratio);
    out += fmt::format("{:>14}  {:>8}  {:>12.2f}  {:>12.2f}  {:>7.3f}\n", speed.name, speed.depth,
                       speed.first, speed.second, ratio);
  }
  out += fmt::format("geometric mean of B / A: {:.3f}\n",
                     std::exp(logarithms / static_cast<double>(speeds.size())));
  const std::size_t rest = count_points(of_first) + count_points(of_second) - 2 * speeds.size();
  if (rest > 0) out += fmt::format("left out, because only one has them: {} speeds\n", rest);
  return out;
}

}  // namespace vernal
