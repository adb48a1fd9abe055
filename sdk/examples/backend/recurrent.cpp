// Operations of linear attention: they keep a sequence in a state of constant size. Source: Yang et
// al. 2024, "Gated Delta Networks". They run token by token; a chunked form must give the same.
#include <cmath>

#include "activation.hpp"
#include "operations.hpp"

namespace reference {
namespace {

/// x / sqrt(sum(x^2) + eps).
std::vector<double> l2_normalised(std::span<const float> x, double eps) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  const double factor = 1.0 / std::sqrt(sum + eps);
  std::vector<double> out;
  for (const float v : x) out.push_back(static_cast<double>(v) * factor);
  return out;
}

/// What one value head reads for one token.
struct DeltaToken {
  std::vector<double> query;  // scaled
  std::vector<double> key;
  std::span<const float> value;
  std::vector<double> decay;  // e^g for each row of S
  double beta;
};

/// S <- e^g S; u = beta (v - S'k); S <- S + k u'; out = S'q. `memory` is S, [dk, dv].
void delta_step(const DeltaToken& token, std::span<float> memory, std::span<float> out) {
  const std::size_t key_dim = token.key.size();
  const std::size_t value_dim = token.value.size();
  const auto decayed = [&](std::size_t i, std::size_t j) {
    return token.decay[i] * static_cast<double>(memory[i * value_dim + j]);
  };
  for (std::size_t j = 0; j < value_dim; ++j) {  // the columns of S are independent
    double recalled = 0;
    for (std::size_t i = 0; i < key_dim; ++i) recalled += decayed(i, j) * token.key[i];
    const double update = token.beta * (static_cast<double>(token.value[j]) - recalled);
    double answer = 0;
    for (std::size_t i = 0; i < key_dim; ++i) {
      const double s = decayed(i, j) + token.key[i] * update;
      answer += s * token.query[i];
      memory[i * value_dim + j] = static_cast<float>(s);
    }
    out[j] = static_cast<float>(answer);
  }
}

/// The operands and attributes of gated_delta_rule.
class DeltaRule {
 public:
  DeltaRule(const vernal::Node& node, const StepContext& context)
      : q_(context.in(node, 0)),
        k_(context.in(node, 1)),
        v_(context.in(node, 2)),
        g_(context.in(node, 3)),
        beta_(context.in(node, 4)),
        options_(vernal::delta_rule_options(node)) {}

  std::int64_t num_heads() const { return v_.dims[1]; }

  /// Row t of value head h.
  DeltaToken token(std::int64_t t, std::int64_t h) const {
    const std::int64_t num_keys = q_.dims[1];
    const std::int64_t kappa =
        options_.head_map == "tiled" ? h % num_keys : h * num_keys / num_heads();
    const std::int64_t row = t * num_heads() + h;
    DeltaToken token;
    token.query = prepared(q_.row(t * num_keys + kappa));
    for (double& q : token.query) q *= options_.scale;
    token.key = prepared(k_.row(t * num_keys + kappa));
    token.value = v_.row(row);
    const bool is_by_row = g_.dims.size() == 3;  // g is [T, Hv] or [T, Hv, dk]
    for (std::size_t i = 0; i < token.key.size(); ++i) {
      const float g = is_by_row ? g_.row(row)[i] : g_.row(t)[static_cast<std::size_t>(h)];
      token.decay.push_back(std::exp(static_cast<double>(g)));
    }
    token.beta = static_cast<double>(beta_.row(t)[static_cast<std::size_t>(h)]);
    return token;
  }

 private:
  std::vector<double> prepared(std::span<const float> x) const {
    return options_.qk_l2norm ? l2_normalised(x, options_.eps)
                              : std::vector<double>(x.begin(), x.end());
  }

  const Tensor& q_;
  const Tensor& k_;
  const Tensor& v_;
  const Tensor& g_;
  const Tensor& beta_;
  vernal::DeltaRuleOptions options_;
};

}  // namespace

void run_l2norm(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const double eps = node.number("eps", 0.0);
  Tensor& out = context.out(node);
  for (std::int64_t r = 0; r < x.num_rows(); ++r) {
    const std::vector<double> normalised = l2_normalised(x.row(r), eps);
    const auto target = out.row(r);
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<float>(normalised[i]);
  }
}

void run_conv1d_state(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const StoredWeight& kernel = context.weight(node, 1);
  const std::vector<float> bias = context.weight_row(node, 2);
  const bool is_silu = vernal::conv1d_activation(node) == "silu";
  const auto channels = static_cast<std::size_t>(x.last());
  const auto width = static_cast<std::size_t>(kernel.columns);
  std::vector<std::vector<float>> taps(channels);
  for (std::size_t c = 0; c < channels; ++c) kernel.read_row(static_cast<std::int64_t>(c), taps[c]);
  Tensor& out = context.out(node);
  for (std::size_t s = 0; s < context.states.size(); ++s) {
    const vernal::StepSequence& part = context.batch.sequences[s];
    FixedState& state = context.fixed_state(node, 3, s);
    for (std::uint64_t t = part.start; t < part.start + part.count; ++t) {
      const auto in = x.row(static_cast<std::int64_t>(t));
      const auto target = out.row(static_cast<std::int64_t>(t));
      state.begin_token(context.program.options().rollback_depth);
      for (std::size_t c = 0; c < channels; ++c) {
        // The earlier columns, the oldest first, then the new one.
        float* column = state.values.data() + c * (width - 1);
        double sum = bias.empty() ? 0.0 : static_cast<double>(bias[c]);
        for (std::size_t i = 0; i < width; ++i) {
          const float z = i + 1 < width ? column[i] : in[c];
          sum += static_cast<double>(taps[c][i]) * static_cast<double>(z);
        }
        target[c] = static_cast<float>(is_silu ? activate("silu", sum) : sum);
        for (std::size_t i = 0; i + 1 < width; ++i) {
          column[i] = i + 2 < width ? column[i + 1] : in[c];
        }
      }
    }
  }
}

void run_gated_delta_rule(const vernal::Node& node, StepContext& context) {
  const DeltaRule rule(node, context);
  const vernal::State& slot = context.state(node, 5);
  const auto matrix = static_cast<std::size_t>(slot.key_dim * slot.value_dim);
  Tensor& out = context.out(node);
  for (std::size_t s = 0; s < context.states.size(); ++s) {
    const vernal::StepSequence& part = context.batch.sequences[s];
    FixedState& state = context.fixed_state(node, 5, s);
    for (std::uint64_t i = part.start; i < part.start + part.count; ++i) {
      const auto t = static_cast<std::int64_t>(i);
      state.begin_token(context.program.options().rollback_depth);
      for (std::int64_t h = 0; h < rule.num_heads(); ++h) {
        const auto memory =
            std::span(state.values).subspan(static_cast<std::size_t>(h) * matrix, matrix);
        delta_step(rule.token(t, h), memory, out.row(t * rule.num_heads() + h));
      }
    }
  }
}

}  // namespace reference
