// Mixture of experts. Sources: Shazeer et al. 2017, "Outrageously Large Neural Networks";
// DeepSeek-AI 2024, "DeepSeek-V3", for the choice among groups.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "activation.hpp"
#include "operations.hpp"

namespace reference {
namespace {

std::vector<double> score(std::string_view kind, std::vector<double> r) {
  if (kind == "sigmoid") {
    std::ranges::transform(r, r.begin(), sigmoid);
    return r;
  }
  const double greatest = *std::ranges::max_element(r);
  for (double& x : r) x = std::exp(x - greatest);
  const double total = std::accumulate(r.begin(), r.end(), 0.0);
  for (double& x : r) x /= total;
  return r;
}

/// The indices of the `count` greatest values, the greatest first. Of equal values the lower index
/// counts.
std::vector<std::size_t> greatest(const std::vector<double>& values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return values[i]; });
  order.resize(count);
  return order;
}

/// Keeps the experts of the best groups. The others cannot be chosen any more.
void keep_best_groups(const vernal::RouteOptions& options, std::vector<double>& choice) {
  const auto num_groups = static_cast<std::size_t>(options.n_group);
  const std::size_t size = choice.size() / num_groups;
  std::vector<double> sums(num_groups);
  for (std::size_t group = 0; group < num_groups; ++group) {
    const auto begin = choice.begin() + static_cast<std::ptrdiff_t>(group * size);
    const std::vector<double> members(begin, begin + static_cast<std::ptrdiff_t>(size));
    for (const std::size_t i : greatest(members, std::min<std::size_t>(2, size))) {
      sums[group] += members[i];
    }
  }
  std::vector<double> kept(choice.size(), -std::numeric_limits<double>::infinity());
  for (const std::size_t group : greatest(sums, static_cast<std::size_t>(options.topk_group))) {
    for (std::size_t i = group * size; i < (group + 1) * size; ++i) kept[i] = choice[i];
  }
  choice = std::move(kept);
}

std::vector<std::size_t> choose(const vernal::RouteOptions& options, std::vector<double> choice) {
  if (options.n_group > 1) keep_best_groups(options, choice);
  return greatest(choice, static_cast<std::size_t>(options.k));
}

/// The weights of the experts `chosen`. `s` are the scores of the choice, without bias.
std::vector<double> weigh(const vernal::RouteOptions& options, const std::vector<double>& s,
                          const std::vector<std::size_t>& chosen) {
  std::vector<double> weights;
  for (const std::size_t e : chosen) weights.push_back(s[e]);
  if (options.when != "before") weights = score(options.score, std::move(weights));
  double factor = options.scale;
  if (options.renorm) {
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    factor /= std::max(total, 0x1p-14);
  }
  for (double& w : weights) w *= factor;
  return weights;
}

/// w[row] . x.
double row_dot(const StoredWeight& weight, std::int64_t row, const std::vector<double>& x,
               std::vector<float>& buffer) {
  weight.read_row(row, buffer);
  return dot(std::vector<double>(buffer.begin(), buffer.end()), x);
}

/// The matrices and biases of moe_glu. Expert e has the rows [e * n, (e + 1) * n) of each.
class Experts {
 public:
  Experts(const vernal::Node& node, const StepContext& context)
      : glu_(vernal::glu_options(node)),
        gate_(context.weight(node, 3)),
        up_(context.weight(node, 4)),
        down_(context.weight(node, 5)),
        inner_(context.program.module().weights[node.operands[3].index].shape[1]),
        outer_(gate_.columns) {
    for (std::size_t i = 0; i < 3; ++i) {
      if (node.operand(6 + i).kind == VERNAL_OPERAND_WEIGHT)
        biases_[i] = &context.weight(node, 6 + i);
    }
  }

  /// Adds omega times the result of expert e for x to `sum`.
  void add(std::int64_t e, const std::vector<double>& x, double omega,
           std::vector<double>& sum) const {
    std::vector<float> row;
    const std::vector<double> gate_bias = bias(0, e, inner_);
    const std::vector<double> up_bias = bias(1, e, inner_);
    const std::vector<double> down_bias = bias(2, e, outer_);
    std::vector<double> hidden;
    for (std::int64_t f = 0; f < inner_; ++f) {
      const auto i = static_cast<std::size_t>(f);
      const double g = row_dot(gate_, e * inner_ + f, x, row) + gate_bias[i];
      const double u = row_dot(up_, e * inner_ + f, x, row) + up_bias[i];
      hidden.push_back(glu(glu_, g, u));
    }
    for (std::int64_t d = 0; d < outer_; ++d) {
      const auto i = static_cast<std::size_t>(d);
      sum[i] += omega * (row_dot(down_, e * outer_ + d, hidden, row) + down_bias[i]);
    }
  }

 private:
  std::vector<double> bias(std::size_t which, std::int64_t e, std::int64_t size) const {
    if (biases_[which] == nullptr) return std::vector<double>(static_cast<std::size_t>(size));
    std::vector<float> row;
    biases_[which]->read_row(e, row);
    return {row.begin(), row.end()};
  }

  vernal::GluOptions glu_;
  const StoredWeight& gate_;
  const StoredWeight& up_;
  const StoredWeight& down_;
  std::array<const StoredWeight*, 3> biases_{};
  std::int64_t inner_;
  std::int64_t outer_;
};

}  // namespace

void run_moe_route(const vernal::Node& node, StepContext& context) {
  const Tensor& r = context.in(node, 0);
  const std::vector<float> bias = context.weight_row(node, 1);
  const vernal::RouteOptions options = vernal::route_options(node);
  Tensor& ids = context.out(node, 0);
  Tensor& weights = context.out(node, 1);
  for (std::int64_t t = 0; t < r.num_rows(); ++t) {
    const auto logits = r.row(t);
    std::vector<double> s(logits.begin(), logits.end());
    if (options.when == "before") s = score(options.score, std::move(s));
    std::vector<double> choice = s;
    for (std::size_t e = 0; e < bias.size(); ++e) choice[e] += static_cast<double>(bias[e]);
    const std::vector<std::size_t> chosen = choose(options, std::move(choice));
    const std::vector<double> omega = weigh(options, s, chosen);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      ids.integers[static_cast<std::size_t>(t) * chosen.size() + i] =
          static_cast<std::int32_t>(chosen[i]);
      weights.row(t)[i] = static_cast<float>(omega[i]);
    }
  }
}

void run_moe_glu(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const Tensor& ids = context.in(node, 1);
  const Tensor& weights = context.in(node, 2);
  const Experts experts(node, context);
  const bool is_weighted_before = vernal::experts_weight_on(node) == "in";
  Tensor& out = context.out(node);
  for (std::int64_t t = 0; t < x.num_rows(); ++t) {
    const auto row = x.row(t);
    const auto omegas = weights.row(t);
    std::vector<double> sum(row.size());
    for (std::size_t i = 0; i < omegas.size(); ++i) {
      const std::int64_t e = ids.integers[static_cast<std::size_t>(t) * omegas.size() + i];
      const auto omega = static_cast<double>(omegas[i]);
      std::vector<double> input(row.begin(), row.end());
      if (is_weighted_before) {
        for (double& v : input) v *= omega;
      }
      experts.add(e, input, is_weighted_before ? 1.0 : omega, sum);
    }
    std::ranges::transform(sum, out.row(t).begin(), [](double v) { return static_cast<float>(v); });
  }
}

}  // namespace reference
