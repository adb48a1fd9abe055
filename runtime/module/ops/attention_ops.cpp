// rope and attention.
#include <algorithm>
#include <numeric>

#include "module/node_inference.hpp"
#include "module/op_registry.hpp"

namespace vernal {
namespace {

/// A kind of scaling, and the attributes it reads in addition to those that every rope has.
struct ScalingSpec {
  std::string_view kind;
  std::string_view required[2];
  std::string_view optional[3];
};
constexpr ScalingSpec kScalings[] = {
    {"none", {}, {}},
    {"longrope", {}, {}},
    {"linear", {"factor"}, {}},
    {"yarn", {"factor", "original_context_length"}, {"beta_fast", "beta_slow", "extrapolation"}},
    {"banded", {"factor", "original_context_length"}, {"low_freq_factor", "high_freq_factor"}},
};

void check_scaling(NodeInference& n) {
  const std::string_view kind = n.node().text("scaling", "none");
  const auto* const spec = std::find_if(std::begin(kScalings), std::end(kScalings),
                                        [&](const ScalingSpec& s) { return s.kind == kind; });
  for (const std::string_view name : spec->required) {
    if (!name.empty() && n.node().find(name) == nullptr) {
      n.problem("scaling {}: attribute \"{}\" is missing", kind, name);
    }
  }
  for (const std::string_view name : {"factor", "original_context_length", "beta_fast", "beta_slow",
                                      "extrapolation", "low_freq_factor", "high_freq_factor"}) {
    const auto reads = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), name) != std::end(names);
    };
    if (n.node().find(name) != nullptr && !reads(spec->required) && !reads(spec->optional)) {
      n.problem("attribute \"{}\" has no meaning for scaling {}", name, kind);
    }
  }
  if (kind == "longrope" && !n.has(2)) n.problem("scaling longrope: expected the operand factors");
  if (kind == "banded" &&
      n.node().number("low_freq_factor", 1) >= n.node().number("high_freq_factor", 4)) {
    n.problem("scaling banded: expected low_freq_factor below high_freq_factor");
  }
}

void check_sections(NodeInference& n, std::int64_t n_rot) {
  const std::string_view mrope = n.node().text("mrope", "none");
  const Attribute* sections = n.node().find("sections");
  const std::int64_t axes = n.shape(1)[1];
  if (mrope == "none") {
    if (sections != nullptr) n.problem("attribute \"sections\" has no meaning without mrope");
    if (axes != 1) n.problem("{}: expected one position for each token", n.describe(1));
    return;
  }
  if (axes != 3 && axes != 4) {
    n.problem("{}: expected 3 or 4 positions for each token with mrope", n.describe(1));
  }
  const bool four = sections != nullptr && sections->integers.size() == 4 &&
                    std::all_of(sections->integers.begin(), sections->integers.end(),
                                [&](std::int64_t s) { return s >= 0 && s <= n_rot; });
  if (!four || std::accumulate(sections->integers.begin(), sections->integers.end(),
                               std::int64_t{0}) != n_rot / 2) {
    n.problem("attribute \"sections\": expected 4 counts of pairs that add up to {}", n_rot / 2);
  } else if (axes == 3 && sections->integers[3] != 0) {
    n.problem("attribute \"sections\": the fourth has pairs, but there are 3 positions");
  }
}

void infer_rope(NodeInference& n) {
  const bool tokens = n.expect_tokens(0, 3);
  if (!n.expect_tokens(1, 2) || !tokens) return;
  const std::int64_t n_rot = n.node().integer("n_rot", 0);
  const std::int64_t head = n.shape(0)[2];
  if (n_rot % 2 != 0 || n_rot > head) {
    n.problem("attribute \"n_rot\": expected an even number up to {}, found {}", head, n_rot);
    return;
  }
  check_scaling(n);
  check_sections(n, n_rot);
  n.expect_shape(2, make_shape({n_rot / 2}));
  n.result(n.shape(0), n.element(0));
}

void infer_attention(NodeInference& n) {
  bool tokens = true;
  for (std::size_t i = 0; i < 3; ++i) tokens = n.expect_tokens(i, 3) && tokens;
  if (!tokens) return;
  const std::int64_t query_heads = n.shape(0)[1];
  const std::int64_t key_size = n.shape(0)[2];
  const std::int64_t heads = n.shape(1)[1];
  const std::int64_t value_size = n.shape(2)[2];
  n.expect_shape(1, make_shape({VERNAL_DIM_TOKENS, heads, key_size}));
  n.expect_shape(2, make_shape({VERNAL_DIM_TOKENS, heads, value_size}));
  n.expect_shape(4, make_shape({query_heads}));
  if (query_heads % heads != 0) {
    n.problem("{} key/value heads do not divide {} query heads", heads, query_heads);
  }
  const State& kv = n.state(3);
  if (kv.num_heads != heads || kv.key_dim != key_size || kv.value_dim != value_size) {
    n.problem("{} holds {} heads of {} and {}, expected {} of {} and {}", n.describe(3),
              kv.num_heads, kv.key_dim, kv.value_dim, heads, key_size, value_size);
  }
  n.result(make_shape({VERNAL_DIM_TOKENS, query_heads * value_size}), VERNAL_ELEMENT_ACT);
}

using enum OperandKind;

constexpr OperandSpec kRopeOperands[] = {
    {.name = "x", .kind = kValue},
    {.name = "positions", .kind = kValue, .element = OperandElement::kI32},
    {.name = "factors", .kind = kWeight, .optional = true},
};
constexpr double kTiny = 1e-30;
constexpr AttributeSpec kRopeAttributes[] = {
    {.name = "n_rot", .type = VERNAL_ATTR_INT, .required = true, .minimum = 2},
    {.name = "style", .type = VERNAL_ATTR_STRING, .required = true, .choices = "neox|interleaved"},
    {.name = "base", .type = VERNAL_ATTR_FLOAT, .required = true, .minimum = 1 + 1e-6},
    {.name = "scaling", .type = VERNAL_ATTR_STRING, .choices = "none|linear|yarn|banded|longrope"},
    {.name = "factor", .type = VERNAL_ATTR_FLOAT, .minimum = kTiny},
    {.name = "original_context_length", .type = VERNAL_ATTR_INT, .minimum = 1},
    {.name = "beta_fast", .type = VERNAL_ATTR_FLOAT, .minimum = kTiny},
    {.name = "beta_slow", .type = VERNAL_ATTR_FLOAT, .minimum = kTiny},
    {.name = "extrapolation", .type = VERNAL_ATTR_FLOAT, .minimum = 0, .maximum = 1},
    {.name = "low_freq_factor", .type = VERNAL_ATTR_FLOAT, .minimum = kTiny},
    {.name = "high_freq_factor", .type = VERNAL_ATTR_FLOAT, .minimum = kTiny},
    {.name = "magnitude", .type = VERNAL_ATTR_FLOAT},
    {.name = "mrope", .type = VERNAL_ATTR_STRING, .choices = "none|chunked|interleaved"},
    {.name = "sections", .type = VERNAL_ATTR_INTS},
};

constexpr OperandSpec kAttentionOperands[] = {
    {.name = "q", .kind = kValue},
    {.name = "k", .kind = kValue},
    {.name = "v", .kind = kValue},
    {.name = "kv", .kind = kState, .state_kind = VERNAL_STATE_KV},
    {.name = "sinks", .kind = kWeight, .optional = true},
};
constexpr AttributeSpec kAttentionAttributes[] = {
    {.name = "scale", .type = VERNAL_ATTR_FLOAT, .required = true},
    {.name = "causal", .type = VERNAL_ATTR_INT, .minimum = 0, .maximum = 1},
    {.name = "softcap", .type = VERNAL_ATTR_FLOAT, .minimum = 0},
};

constexpr OpSpec kAttentionOps[] = {
    {"vernal.rope/1", 0, kRopeOperands, kRopeAttributes, 1, infer_rope},
    {"vernal.attention/1", 0, kAttentionOperands, kAttentionAttributes, 1, infer_attention},
};

}  // namespace

std::span<const OpSpec> attention_ops() noexcept { return kAttentionOps; }

}  // namespace vernal
