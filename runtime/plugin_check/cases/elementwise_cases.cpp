// Cases of add, mul, scale, act, glu and softcap.
#include "plugin_check/cases/operation_case.hpp"

namespace vernal::check {
namespace {

/// Wide enough that exponentials and tanh are seen at both ends.
constexpr double kWide = 12;

OperationCase binary_case(const char* label, const Dims& shape, const Dims& weight, bool is_mul) {
  std::int64_t width = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) width *= shape[i];
  RandomNumbers random(5);
  MadeWeights weights;
  weights.add("w", weight, random, 1.0);
  return case_over_x(fmt::format("{} {}", is_mul ? "mul" : "add", label), width, width,
                     std::move(weights), [&](const Builder& b, Tensor x) {
                       x = b.reshape(x, shape);
                       const WeightRef w = b.weight("w", weight);
                       return is_mul ? b.mul(x, w) : b.add(x, w);
                     });
}

/// Two halves of x together.
OperationCase halves_case(const std::string& label, std::int64_t half,
                          const std::function<Tensor(const Builder&, Tensor, Tensor)>& body) {
  return case_over_x(label, 2 * half, half, {}, [&](const Builder& b, Tensor x) {
    const std::vector<Tensor> parts = b.split(b.scale(x, kWide / 2), 1, {half, half});
    return body(b, parts[0], parts[1]);
  });
}

}  // namespace

std::vector<OperationCase> arithmetic_cases() {
  std::vector<OperationCase> cases;
  for (const bool is_mul : {false, true}) {
    cases.push_back(binary_case("[T,24] with a weight [24]", {kTokens, 24}, {24}, is_mul));
    cases.push_back(binary_case("[T,3,8] with a weight [8]", {kTokens, 3, 8}, {8}, is_mul));
    cases.push_back(binary_case("[T,3,8] with a weight [3,1]", {kTokens, 3, 8}, {3, 1}, is_mul));
    cases.push_back(halves_case(
        is_mul ? "mul of two values" : "add of two values", 17,
        [=](const Builder& b, Tensor p, Tensor q) { return is_mul ? b.mul(p, q) : b.add(p, q); }));
    cases.push_back(halves_case(is_mul ? "mul of [T,9] and [T,1]" : "add of [T,9] and [T,1]", 9,
                                [=](const Builder& b, Tensor p, Tensor q) {
                                  q = b.slice(q, 1, 4, 1);
                                  return is_mul ? b.mul(p, q) : b.add(p, q);
                                }));
    cases.push_back(
        halves_case(is_mul ? "mul of [T,2,6] and [T,2,1]" : "add of [T,2,6] and [T,1,6]", 12,
                    [=](const Builder& b, Tensor p, Tensor q) {
                      p = b.reshape(p, {kTokens, 2, 6});
                      q = b.reshape(q, {kTokens, 2, 6});
                      return is_mul ? b.mul(p, b.slice(q, 2, 0, 1)) : b.add(p, b.slice(q, 1, 1, 1));
                    }));
  }
  for (const double factor : {0.5, -3.0, 0.0}) {
    cases.push_back(case_over_x(fmt::format("scale by {}", factor), 33, 33, {},
                                [=](const Builder& b, Tensor x) { return b.scale(x, factor); }));
  }
  return cases;
}

std::vector<OperationCase> act_cases() {
  std::vector<OperationCase> cases;
  for (const char* kind :
       {"silu", "gelu_tanh", "gelu_erf", "relu", "relu2", "sigmoid", "softplus", "tanh", "exp"}) {
    for (const std::int64_t width : {1, 37}) {
      cases.push_back(
          case_over_x(fmt::format("act {}, {} columns", kind, width), width, width, {},
                      [=](const Builder& b, Tensor x) { return b.act(b.scale(x, kWide), kind); }));
    }
  }
  return cases;
}

std::vector<OperationCase> glu_cases() {
  std::vector<OperationCase> cases;
  for (const char* kind : {"swiglu", "geglu_tanh", "geglu_erf", "reglu", "swiglu_oai"}) {
    cases.push_back(halves_case(
        fmt::format("glu {}", kind), 41,
        [=](const Builder& b, Tensor gate, Tensor up) { return b.glu(gate, up, {.kind = kind}); }));
  }
  cases.push_back(halves_case("glu swiglu_oai with alpha 1.2 and limit 3", 16,
                              [](const Builder& b, Tensor gate, Tensor up) {
                                return b.glu(gate, up,
                                             {.kind = "swiglu_oai", .alpha = 1.2, .limit = 3});
                              }));
  return cases;
}

std::vector<OperationCase> softcap_cases() {
  std::vector<OperationCase> cases;
  for (const double c : {0.5, 30.0}) {
    cases.push_back(
        case_over_x(fmt::format("softcap at {}", c), 29, 29, {},
                    [=](const Builder& b, Tensor x) { return b.softcap(b.scale(x, kWide), c); }));
  }
  return cases;
}

}  // namespace vernal::check
