#include "operations/node_support.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "kernels/matmul/packed_weights.hpp"

namespace vernal::cpu_avx2 {

namespace {

using Names = std::span<const std::string_view>;

struct Supported {
  std::string_view op;
  Names attributes;
};

constexpr std::array<std::string_view, 3> kInput{"name", "dtype", "shape"};
constexpr std::array<std::string_view, 2> kOutput{"name", "rows"};
constexpr std::array<std::string_view, 2> kEmbed{"scale", "out"};
constexpr std::array<std::string_view, 2> kRmsnorm{"eps", "out"};
constexpr std::array<std::string_view, 1> kLinear{"out"};
constexpr std::array<std::string_view, 14> kRope{"n_rot",
                                                 "style",
                                                 "base",
                                                 "scaling",
                                                 "factor",
                                                 "beta_fast",
                                                 "beta_slow",
                                                 "extrapolation",
                                                 "low_freq_factor",
                                                 "high_freq_factor",
                                                 "magnitude",
                                                 "mrope",
                                                 "sections",
                                                 "original_context_length"};
constexpr std::array<std::string_view, 3> kAttention{"scale", "causal", "softcap"};
constexpr std::array<std::string_view, 1> kScale{"scale"};
constexpr std::array<std::string_view, 1> kAct{"kind"};
constexpr std::array<std::string_view, 3> kGlu{"kind", "alpha", "limit"};
constexpr std::array<std::string_view, 1> kSoftcap{"c"};
constexpr std::array<std::string_view, 1> kReshape{"shape"};
constexpr std::array<std::string_view, 3> kSlice{"axis", "start", "length"};
constexpr std::array<std::string_view, 2> kSplit{"axis", "sizes"};
constexpr std::array<std::string_view, 1> kConcat{"axis"};

constexpr std::array<std::string_view, 2> kL2norm{"eps", "out"};
constexpr std::array<std::string_view, 1> kConv{"activation"};
constexpr std::array<std::string_view, 4> kDeltaRule{"scale", "qk_l2norm", "eps", "head_map"};
constexpr std::array<std::string_view, 7> kMoeRoute{"k",     "score",   "when",      "renorm",
                                                    "scale", "n_group", "topk_group"};
constexpr std::array<std::string_view, 4> kMoeGlu{"kind", "alpha", "limit", "weight_on"};

constexpr std::array<Supported, 24> kSupported{{
    {"vernal.input/1", kInput},
    {"vernal.output/1", kOutput},
    {"vernal.embed/1", kEmbed},
    {"vernal.override_rows/1", {}},
    {"vernal.rmsnorm/1", kRmsnorm},
    {"vernal.linear/1", kLinear},
    {"vernal.rope/1", kRope},
    {"vernal.attention/1", kAttention},
    {"vernal.add/1", {}},
    {"vernal.mul/1", {}},
    {"vernal.scale/1", kScale},
    {"vernal.act/1", kAct},
    {"vernal.glu/1", kGlu},
    {"vernal.softcap/1", kSoftcap},
    {"vernal.reshape/1", kReshape},
    {"vernal.slice/1", kSlice},
    {"vernal.split/1", kSplit},
    {"vernal.concat/1", kConcat},
    {"vernal.select_rows/1", {}},
    {"vernal.l2norm/1", kL2norm},
    {"vernal.conv1d_state/1", kConv},
    {"vernal.gated_delta_rule/1", kDeltaRule},
    {"vernal.moe_route/1", kMoeRoute},
    {"vernal.moe_glu/1", kMoeGlu},
}};

std::optional<std::string> weight_refusal(const Module& module, const Node& node) {
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    if (node.operands[i].kind != VERNAL_OPERAND_WEIGHT) continue;
    const Weight& weight = module.weights[node.operands[i].index];
    if (!find_weight_format(weight.format)) {
      return "weight " + weight.name + ": storage format " + weight.format + " is not read here";
    }
    const bool is_matrix = (node.op == "vernal.linear/1" && i == 1) || node.op == "vernal.embed/1";
    if (is_matrix && weight.shape.rank != 2) {
      return "weight " + weight.name + ": expected 2 dimensions, found " +
             std::to_string(weight.shape.rank);
    }
  }
  return std::nullopt;
}

/// Integers come from inputs and from the choice of experts and go into operations; nothing here
/// moves them.
std::optional<std::string> integer_refusal(const Function& function, const Node& node) {
  if (node.op == "vernal.input/1" || node.op == "vernal.moe_route/1" || node.outputs.empty()) {
    return std::nullopt;
  }
  if (function.values[node.outputs[0]].element != VERNAL_ELEMENT_I32) return std::nullopt;
  return node.op + " of integers is not supported here";
}

std::optional<std::string> kind_refusal(const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (node.op == "vernal.act/1" && !find_activation(kind)) return "act kind \"" + kind + "\"";
  const bool is_glu = node.op == "vernal.glu/1" || node.op == "vernal.moe_glu/1";
  if (is_glu && !find_glu(kind)) return "glu kind \"" + kind + "\"";
  return std::nullopt;
}

std::optional<std::string> head_refusal(const Function& function, const Node& node) {
  if (node.op != "vernal.attention/1" && node.op != "vernal.gated_delta_rule/1") {
    return std::nullopt;
  }
  for (const std::size_t operand : {std::size_t{0}, std::size_t{2}}) {
    const std::int64_t dim = function.values[node.operands[operand].index].shape.last();
    if (dim % 8 != 0) {
      return "heads of " + std::to_string(dim) + "; this backend needs multiples of 8";
    }
  }
  return std::nullopt;
}

template <class T, std::size_t kSize>
std::optional<T> find_name(const std::array<std::pair<std::string_view, T>, kSize>& names,
                           std::string_view wanted) {
  for (const auto& [name, value] : names) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

RopeScaling scaling_of(std::string_view name) {
  if (name == "linear") return RopeScaling::kLinear;
  if (name == "yarn") return RopeScaling::kYarn;
  if (name == "banded") return RopeScaling::kBanded;
  return name == "longrope" ? RopeScaling::kLongrope : RopeScaling::kNone;
}

}  // namespace

std::optional<std::string> refusal(const Module& module, const Function& function,
                                   const Node& node) {
  const auto* found = std::ranges::find(kSupported, std::string_view(node.op), &Supported::op);
  if (found == kSupported.end()) return "operation " + node.op + " is not supported here";
  if (auto why = attribute_refusal(node, found->attributes)) return why;
  if (auto why = weight_refusal(module, node)) return why;
  if (auto why = integer_refusal(function, node)) return why;
  if (auto why = kind_refusal(node)) return why;
  return head_refusal(function, node);
}

std::optional<Activation> find_activation(std::string_view kind) {
  static constexpr std::array<std::pair<std::string_view, Activation>, 9> kNames{{
      {"silu", Activation::kSilu},
      {"gelu_tanh", Activation::kGeluTanh},
      {"gelu_erf", Activation::kGeluErf},
      {"relu", Activation::kRelu},
      {"relu2", Activation::kRelu2},
      {"sigmoid", Activation::kSigmoid},
      {"softplus", Activation::kSoftplus},
      {"tanh", Activation::kTanh},
      {"exp", Activation::kExp},
  }};
  return find_name(kNames, kind);
}

std::optional<Glu> find_glu(std::string_view kind) {
  static constexpr std::array<std::pair<std::string_view, Glu>, 5> kNames{{
      {"swiglu", Glu::kSwiglu},
      {"geglu_tanh", Glu::kGegluTanh},
      {"geglu_erf", Glu::kGegluErf},
      {"reglu", Glu::kReglu},
      {"swiglu_oai", Glu::kSwigluOai},
  }};
  return find_name(kNames, kind);
}

Conv1d conv_parameters(const Module& module, const Node& node) {
  const Shape& weight = module.weights[node.operands[1].index].shape;
  Conv1d conv;
  conv.num_channels = weight[0];
  conv.width = weight[1];
  conv.is_silu = node.text("activation", "none") == "silu";
  return conv;
}

DeltaRule delta_rule_parameters(const Function& function, const Node& node) {
  const auto shape = [&](std::size_t operand) -> const Shape& {
    return function.values[node.operands[operand].index].shape;
  };
  DeltaRule rule;
  rule.num_key_heads = shape(0)[1];
  rule.num_value_heads = shape(2)[1];
  rule.key_dim = shape(0)[2];
  rule.value_dim = shape(2)[2];
  rule.scale = static_cast<float>(node.number("scale", 1));
  rule.epsilon = static_cast<float>(node.number("eps", 1e-6));
  rule.is_normalized = node.integer("qk_l2norm", 0) != 0;
  rule.is_grouped = node.text("head_map", "") == "grouped";
  rule.has_key_gates = shape(3).rank == 3;
  return rule;
}

MoeRoute route_parameters(const Function& function, const Node& node) {
  MoeRoute route;
  route.num_experts = function.values[node.operands[0].index].shape[1];
  route.num_used = node.integer("k", 1);
  route.num_groups = node.integer("n_group", 1);
  route.num_used_groups = node.integer("topk_group", 1);
  route.scale = static_cast<float>(node.number("scale", 1));
  route.is_sigmoid = node.text("score", "softmax") == "sigmoid";
  route.scores_before = node.text("when", "before") == "before";
  route.is_renormalized = node.integer("renorm", 0) != 0;
  return route;
}

RopeParameters rope_parameters(const Node& node) {
  RopeParameters p;
  p.n_rot = node.integer("n_rot", 0);
  p.base = node.number("base", p.base);
  p.scaling = scaling_of(node.text("scaling", "none"));
  p.factor = node.number("factor", p.factor);
  p.original_context_length = node.number("original_context_length", 0);
  p.beta_fast = node.number("beta_fast", p.beta_fast);
  p.beta_slow = node.number("beta_slow", p.beta_slow);
  p.extrapolation = node.number("extrapolation", p.extrapolation);
  p.low_freq_factor = node.number("low_freq_factor", p.low_freq_factor);
  p.high_freq_factor = node.number("high_freq_factor", p.high_freq_factor);
  p.magnitude = node.number("magnitude", p.magnitude);
  const std::string_view axes = node.text("mrope", "none");
  if (axes == "chunked") p.axes = RopeAxes::kChunked;
  if (axes == "interleaved") p.axes = RopeAxes::kInterleaved;
  if (const Attribute* sections = node.find("sections")) p.sections = sections->integers;
  return p;
}

}  // namespace vernal::cpu_avx2
