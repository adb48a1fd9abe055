#include "engine/sampling/logits_math.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace vernal {
namespace {

// Enough independent sums or maxima for two registers of 64 bytes or four of 16.
constexpr std::size_t kLanes = 16;
// Up to here a heap beside the row is faster than a copy of the row.
constexpr std::size_t kHeapLimit = 4096;

void select_with_heap(std::span<const float> logits, std::size_t count,
                      std::vector<Candidate>& out) {
  // A heap whose front is the worst kept candidate.
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({static_cast<TokenId>(i), logits[i]});
  }
  std::make_heap(out.begin(), out.end());
  float worst = out.front().logit;
  for (std::size_t i = count; i < logits.size(); ++i) {
    if (logits[i] > worst) {  // an equal logit with a higher id stays out
      std::pop_heap(out.begin(), out.end());
      out.back() = {static_cast<TokenId>(i), logits[i]};
      std::push_heap(out.begin(), out.end());
      worst = out.front().logit;
    }
  }
  std::sort_heap(out.begin(), out.end());
}

}  // namespace

bool LogitsRange::is_distribution() const noexcept { return !has_nan && std::isfinite(max); }

LogitsRange find_range(std::span<const float> logits) noexcept {
  std::array<float, kLanes> maxima{};
  std::array<std::uint32_t, kLanes> nans{};
  maxima.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float x = logits[i + lane];
      maxima[lane] = x > maxima[lane] ? x : maxima[lane];
      nans[lane] |= static_cast<std::uint32_t>(x != x);
    }
  }
  for (; i < logits.size(); ++i) {
    maxima[0] = std::max(maxima[0], logits[i]);
    nans[0] |= static_cast<std::uint32_t>(std::isnan(logits[i]));
  }
  const auto is_set = [](std::uint32_t nan) { return nan != 0; };
  return {*std::max_element(maxima.begin(), maxima.end()),
          std::any_of(nans.begin(), nans.end(), is_set)};
}

TokenId first_index_of(std::span<const float> logits, float value) noexcept {
  return static_cast<TokenId>(std::find(logits.begin(), logits.end(), value) - logits.begin());
}

void select_top(std::span<const float> logits, std::size_t count, std::vector<Candidate>& out) {
  out.clear();
  count = std::min(count, logits.size());
  if (count == 0) {
    return;
  }
  if (count <= kHeapLimit) {
    select_with_heap(logits, count, out);
    return;
  }
  out.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    out.push_back({static_cast<TokenId>(i), logits[i]});
  }
  if (count < out.size()) {
    std::nth_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count), out.end());
    out.resize(count);
  }
  std::sort(out.begin(), out.end());
}

}  // namespace vernal
