#include "activation.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "vernal/error.hpp"

namespace reference {
namespace {

double silu(double x) { return x * sigmoid(x); }
double gelu_tanh(double x) {
  constexpr double kSqrtTwoOverPi = 0.7978845608028654;
  return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
}
double gelu_erf(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }
double relu(double x) { return x > 0 ? x : 0; }
double softplus(double x) { return x > 20 ? x : std::log1p(std::exp(x)); }

}  // namespace

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

double activate(std::string_view kind, double x) {
  if (kind == "silu") return silu(x);
  if (kind == "gelu_tanh") return gelu_tanh(x);
  if (kind == "gelu_erf") return gelu_erf(x);
  if (kind == "relu") return relu(x);
  if (kind == "relu2") return relu(x) * relu(x);
  if (kind == "sigmoid") return sigmoid(x);
  if (kind == "softplus") return softplus(x);
  if (kind == "tanh") return std::tanh(x);
  if (kind == "exp") return std::exp(x);
  throw vernal::Error(VERNAL_UNSUPPORTED, "activation \"" + std::string(kind) + "\" is not known");
}

double glu(const vernal::GluOptions& options, double gate, double up) {
  const std::string_view kind = options.kind;
  if (kind == "swiglu") return silu(gate) * up;
  if (kind == "geglu_tanh") return gelu_tanh(gate) * up;
  if (kind == "geglu_erf") return gelu_erf(gate) * up;
  if (kind == "reglu") return relu(gate) * up;
  // swiglu_oai: both halves are clamped, the gate has a slope, and 1 is added to the linear half
  const double g = std::min(gate, options.limit);
  const double u = std::clamp(up, -options.limit, options.limit);
  return g * sigmoid(options.alpha * g) * (u + 1.0);
}

}  // namespace reference
