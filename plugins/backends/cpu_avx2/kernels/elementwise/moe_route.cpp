#include "kernels/elementwise/moe_route.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

/// Smallest sum that renorm divides by: 2^-14.
constexpr float kSmallestSum = 6.103515625e-05F;

void softmax(float* x, std::int64_t count) {
  const float top = *std::max_element(x, x + count);
  for (std::int64_t i = 0; i < count; ++i) x[i] -= top;
  activate(Activation::kExp, x, x, 0, count);
  float sum = 0.0F;
  for (std::int64_t i = 0; i < count; ++i) sum += x[i];
  for (std::int64_t i = 0; i < count; ++i) x[i] /= sum;
}

void score(const MoeRoute& route, float* x, std::int64_t count) {
  if (route.is_sigmoid) {
    activate(Activation::kSigmoid, x, x, 0, count);
  } else {
    softmax(x, count);
  }
}

/// Takes the experts of all but the best groups out of the choice.
///   sums  [num_groups]
void keep_best_groups(const MoeRoute& route, float* choice, float* sums) {
  const std::int64_t size = route.num_experts / route.num_groups;
  for (std::int64_t g = 0; g < route.num_groups; ++g) {
    float best = kLowest;
    float second = kLowest;
    for (std::int64_t e = g * size; e < (g + 1) * size; ++e) {
      second = std::max(second, std::min(best, choice[e]));
      best = std::max(best, choice[e]);
    }
    const float sum = size > 1 ? best + second : best;
    sums[g] = std::isnan(sum) ? kLowest : sum;
  }
  for (std::int64_t n = 0; n < route.num_groups - route.num_used_groups; ++n) {
    // The worst that is left goes; of equals the highest index.
    std::int64_t worst = -1;
    for (std::int64_t g = 0; g < route.num_groups; ++g) {
      if (!std::isnan(sums[g]) && (worst < 0 || sums[g] <= sums[worst])) worst = g;
    }
    sums[worst] = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(choice + worst * size, size, std::numeric_limits<float>::quiet_NaN());
  }
}

void route_row(const MoeRoute& route, std::int64_t row, float* scratch) {
  const std::int64_t num_experts = route.num_experts;
  float* s = scratch;
  float* choice = scratch + num_experts;
  std::copy_n(route.scores + row * num_experts, num_experts, s);
  if (route.scores_before) score(route, s, num_experts);
  for (std::int64_t e = 0; e < num_experts; ++e) {
    const float c = route.bias ? s[e] + route.bias[e] : s[e];
    choice[e] = std::isnan(c) ? kLowest : c;
  }
  if (route.num_groups > 1) keep_best_groups(route, choice, choice + num_experts);
  std::int32_t* ids = route.ids + row * route.num_used;
  float* weights = route.weights + row * route.num_used;
  for (std::int64_t n = 0; n < route.num_used; ++n) {
    std::int64_t best = -1;
    for (std::int64_t e = 0; e < num_experts; ++e) {
      if (!std::isnan(choice[e]) && (best < 0 || choice[e] > choice[best])) best = e;
    }
    ids[n] = static_cast<std::int32_t>(best);
    weights[n] = s[best];
    choice[best] = std::numeric_limits<float>::quiet_NaN();
  }
  if (!route.scores_before) score(route, weights, route.num_used);
  float divisor = 1.0F;
  if (route.is_renormalized) {
    divisor = 0.0F;
    for (std::int64_t n = 0; n < route.num_used; ++n) divisor += weights[n];
    divisor = std::max(divisor, kSmallestSum);
  }
  for (std::int64_t n = 0; n < route.num_used; ++n) weights[n] = weights[n] / divisor * route.scale;
}

}  // namespace

std::int64_t moe_route_scratch_floats(const MoeRoute& route) {
  return 2 * route.num_experts + route.num_groups;
}

void moe_route_rows(const MoeRoute& route, std::int64_t first, std::int64_t last, float* scratch) {
  for (std::int64_t row = first; row < last; ++row) route_row(route, row, scratch);
}

}  // namespace vernal::cpu_avx2
