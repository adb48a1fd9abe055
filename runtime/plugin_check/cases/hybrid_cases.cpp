// Cases of levels 1 and 2: l2norm, conv1d_state, gated_delta_rule, moe_route, moe_glu.
#include "plugin_check/cases/operation_case.hpp"

namespace vernal::check {
namespace {

OperationCase convolution_case(std::int64_t channels, std::int64_t taps, const char* activation,
                               bool has_bias) {
  RandomNumbers random(12);
  MadeWeights weights;
  weights.add("taps", {channels, taps}, random, 0.8);
  if (has_bias) weights.add("bias", {channels}, random, 0.5);
  return case_over_x(
      fmt::format("conv1d_state of {} channels, {} taps, {}, {} bias", channels, taps, activation,
                  has_bias ? "with" : "without"),
      channels, channels, std::move(weights), [&](const Builder& b, Tensor x) {
        const StateRef state = b.state(ConvState{"conv", 0, channels, taps});
        const WeightRef bias = has_bias ? b.weight("bias", {channels}) : WeightRef{};
        return b.conv1d_state(x, b.weight("taps", {channels, taps}), bias, state, activation);
      });
}

struct DeltaCase {
  std::int64_t key_heads;
  std::int64_t value_heads;
  std::int64_t key_size;
  std::int64_t value_size;
  const char* head_map = "tiled";
  bool normalises = true;
  bool decays_by_row = false;  // g [T,Hv,dk] instead of [T,Hv]
};

OperationCase delta_case(const DeltaCase& c) {
  const std::int64_t qk = c.key_heads * c.key_size;
  const std::int64_t v = c.value_heads * c.value_size;
  const std::int64_t g = c.value_heads * (c.decays_by_row ? c.key_size : 1);
  OperationCase made = case_over_x(
      fmt::format("gated_delta_rule: {} key heads of {}, {} value heads of {}, {}{}{}", c.key_heads,
                  c.key_size, c.value_heads, c.value_size, c.head_map,
                  c.normalises ? ", normalised" : "", c.decays_by_row ? ", decay by row" : ""),
      2 * qk + v + g + c.value_heads, v, {}, [&](const Builder& b, Tensor x) {
        const auto parts = b.split(x, 1, {qk, qk, v, g, c.value_heads});
        Tensor decay = b.scale(b.act(parts[3], "softplus"), -0.3);
        if (c.decays_by_row) decay = b.reshape(decay, {kTokens, c.value_heads, c.key_size});
        // Keys that are not normalised must be short, or the memory grows without bound.
        const double length = c.normalises ? 1.0 : 0.3;
        const Builder::DeltaRuleInputs in{
            b.reshape(parts[0], {kTokens, c.key_heads, c.key_size}),
            b.reshape(b.scale(parts[1], length), {kTokens, c.key_heads, c.key_size}),
            b.reshape(parts[2], {kTokens, c.value_heads, c.value_size}), decay,
            b.act(parts[4], "sigmoid")};
        const StateRef state =
            b.state(RecurrentState{"memory", 0, c.value_heads, c.key_size, c.value_size});
        return b.gated_delta_rule(
            in, state, {.scale = 0.25, .qk_l2norm = c.normalises, .head_map = c.head_map});
      });
  made.accuracy = Accuracy::kDelta;
  made.is_optional = c.decays_by_row;
  return made;
}

constexpr std::int64_t kExperts = 8;
constexpr std::int64_t kWidth = 32;
constexpr std::int64_t kInner = 64;

struct ExpertCase {
  const char* label;
  RouteOptions route;
  bool has_bias = false;  // of the choice
  bool is_optional = false;
  const char* weight_on = "out";
};

OperationCase expert_case(const ExpertCase& c) {
  RandomNumbers random(13);
  MadeWeights weights;
  weights.add("router", {kExperts, kWidth}, random, 0.5);
  weights.add("gate", {kExperts, kInner, kWidth}, random);
  weights.add("up", {kExperts, kInner, kWidth}, random);
  weights.add("down", {kExperts, kWidth, kInner}, random);
  if (c.has_bias) weights.add("bias", {kExperts}, random, 0.2);
  OperationCase made = case_over_x(
      fmt::format("moe {}", c.label), kWidth + kExperts, kWidth, std::move(weights),
      [&](const Builder& b, Tensor x) {
        // The router's scores come from the input, so that no rounding moves a choice.
        const auto parts = b.split(x, 1, {kWidth, kExperts});
        const WeightRef bias = c.has_bias ? b.weight("bias", {kExperts}) : WeightRef{};
        const Route route = b.moe_route(b.scale(parts[1], 3), bias, c.route);
        const ExpertWeights experts{.gate = b.weight("gate", {kExperts, kInner, kWidth}),
                                    .up = b.weight("up", {kExperts, kInner, kWidth}),
                                    .down = b.weight("down", {kExperts, kWidth, kInner})};
        return b.moe_glu(parts[0], route, experts, {}, c.weight_on);
      });
  made.accuracy = Accuracy::kExperts;
  made.is_optional = c.is_optional;
  return made;
}

}  // namespace

std::vector<OperationCase> l2norm_cases() {
  std::vector<OperationCase> cases;
  for (const std::int64_t size : {1, 7, 16, 128}) {
    cases.push_back(case_over_x(fmt::format("l2norm of [T,3,{}]", size), 3 * size, 3 * size, {},
                                [=](const Builder& b, Tensor x) {
                                  return b.l2norm(b.reshape(x, {kTokens, 3, size}), 1e-6);
                                }));
  }
  return cases;
}

std::vector<OperationCase> convolution_cases() {
  std::vector<OperationCase> cases;
  cases.push_back(convolution_case(48, 4, "silu", false));
  cases.push_back(convolution_case(48, 4, "none", true));
  cases.push_back(convolution_case(5, 2, "none", false));
  cases.push_back(convolution_case(16, 8, "silu", false));
  return cases;
}

std::vector<OperationCase> delta_rule_cases() {
  std::vector<OperationCase> cases;
  for (const DeltaCase& c : {
           DeltaCase{1, 1, 16, 16},
           {2, 4, 16, 32, "tiled"},
           {2, 4, 16, 32, "grouped"},
           {2, 2, 32, 16, "grouped", false},
           {1, 2, 128, 128},
           {2, 2, 16, 16, "tiled", true, true},
       }) {
    cases.push_back(delta_case(c));
  }
  return cases;
}

std::vector<OperationCase> expert_cases() {
  std::vector<OperationCase> cases;
  for (const ExpertCase& c : {
           ExpertCase{"of 2 among 8", {.k = 2}},
           {"of 3 among 8, weights that sum up to one", {.k = 3, .renorm = true}},
           {"of 1 among 8", {.k = 1}},
           {"of all", {.k = kExperts}},
           {"scored by sigmoid, with a bias", {.k = 2, .score = "sigmoid", .scale = 2.5}, true},
           {"scored after the choice", {.k = 2, .when = "after"}},
           {"in groups", {.k = 2, .n_group = 4, .topk_group = 2}, false, true},
           {"with weights on the input", {.k = 2}, false, true, "in"},
       }) {
    cases.push_back(expert_case(c));
  }
  return cases;
}

}  // namespace vernal::check
