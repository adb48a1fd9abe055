// Operations that read weights row by row: embedding, linear map, normalisation.
#include <cmath>

#include "operations.hpp"

namespace reference {

void run_embed(const vernal::Node& node, StepContext& context) {
  const Tensor& ids = context.in(node, 0);
  const StoredWeight& table = context.weight(node, 1);
  const auto scale = static_cast<float>(vernal::embed_scale(node));
  Tensor& out = context.out(node);
  std::vector<float> row;
  for (std::size_t t = 0; t < ids.integers.size(); ++t) {
    const std::int64_t id = ids.integers[t];
    if (id < 0 || id >= table.num_rows) {
      throw vernal::Error(VERNAL_INVALID_ARGUMENT, node.path + ": token id " + std::to_string(id) +
                                                       " is outside 0.." +
                                                       std::to_string(table.num_rows - 1));
    }
    table.read_row(id, row);
    const auto target = out.row(static_cast<std::int64_t>(t));
    for (std::size_t i = 0; i < row.size(); ++i) target[i] = row[i] * scale;
  }
}

void run_linear(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const StoredWeight& weight = context.weight(node, 1);
  const std::vector<float> bias = context.weight_row(node, 2);
  Tensor& out = context.out(node);
  // Both sides are converted once, not for each product.
  const std::vector<double> inputs(x.floats.begin(), x.floats.end());
  const auto size = static_cast<std::size_t>(x.last());
  std::vector<float> stored;
  for (std::int64_t n = 0; n < weight.num_rows; ++n) {
    weight.read_row(n, stored);
    const std::vector<double> row(stored.begin(), stored.end());
    const double b = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<std::size_t>(n)]);
    for (std::int64_t t = 0; t < x.num_rows(); ++t) {
      const double* const input = inputs.data() + static_cast<std::size_t>(t) * size;
      out.row(t)[static_cast<std::size_t>(n)] = static_cast<float>(b + dot(row, {input, size}));
    }
  }
}

void run_rmsnorm(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const std::vector<float> weight = context.weight_row(node, 1);
  const double eps = node.number("eps", 0.0);
  Tensor& out = context.out(node);
  for (std::int64_t r = 0; r < x.num_rows(); ++r) {
    const auto in = x.row(r);
    double sum = 0;
    for (const float v : in) sum += static_cast<double>(v) * static_cast<double>(v);
    const double factor = 1.0 / std::sqrt(sum / static_cast<double>(in.size()) + eps);
    const auto target = out.row(r);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double w = weight.empty() ? 1.0 : static_cast<double>(weight[i]);
      target[i] = static_cast<float>(static_cast<double>(in[i]) * factor * w);
    }
  }
}

}  // namespace reference
