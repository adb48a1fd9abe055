// Cases of rope and attention.
#include <cmath>

#include "plugin_check/cases/operation_case.hpp"

namespace vernal::check {
namespace {

struct RopeCase {
  const char* label;
  RopeOptions options;
  std::int64_t heads = 3;
  std::int64_t size = 24;
  std::int64_t axes = 1;
  bool has_factors = false;
  bool is_optional = false;
};

OperationCase rope_case(const RopeCase& c) {
  const std::int64_t width = c.heads * c.size;
  const std::int64_t pairs = c.options.n_rot / 2;
  RandomNumbers random(6);
  MadeWeights weights;
  if (c.has_factors) weights.add_values("factors", {pairs}, random.floats(pairs, 0.9, 2.0));
  OperationCase made =
      case_over_x(fmt::format("rope {}, {} heads of {}", c.label, c.heads, c.size), width, width,
                  std::move(weights), [&](const Builder& b, Tensor x) {
                    RopeOptions options = c.options;
                    if (c.has_factors) options.factors = b.weight("factors", {pairs});
                    const Tensor positions = b.input("positions", Element::kI32, {kTokens, c.axes});
                    return b.rope(b.reshape(x, {kTokens, c.heads, c.size}), positions, options);
                  });
  made.is_optional = c.is_optional;
  return made;
}

struct AttentionCase {
  const char* label;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 2;
  std::int64_t key_size = 32;
  std::int64_t value_size = 32;
  std::int64_t window = 0;
  AttentionOptions options = {};
  bool has_sinks = false;
  bool is_optional = false;
  bool is_long = false;
};

OperationCase attention_case(const AttentionCase& c) {
  const std::int64_t q = c.heads * c.key_size;
  const std::int64_t k = c.kv_heads * c.key_size;
  const std::int64_t v = c.kv_heads * c.value_size;
  RandomNumbers random(8);
  MadeWeights weights;
  if (c.has_sinks) weights.add("sinks", {c.heads}, random, 2.0);
  OperationCase made = case_over_x(
      fmt::format("attention {}: {} heads of {} over {} of {}, window {}", c.label, c.heads,
                  c.key_size, c.kv_heads, c.value_size, c.window),
      q + k + v, c.heads * c.value_size, std::move(weights), [&](const Builder& b, Tensor x) {
        const std::vector<Tensor> parts = b.split(b.scale(x, 2), 1, {q, k, v});
        AttentionOptions options = c.options;
        if (c.has_sinks) options.sinks = b.weight("sinks", {c.heads});
        const StateRef kv =
            b.state(KvState{"kv", 0, c.kv_heads, c.key_size, c.value_size, c.window});
        const Tensor queries = b.reshape(parts[0], {kTokens, c.heads, c.key_size});
        const Tensor keys = b.reshape(parts[1], {kTokens, c.kv_heads, c.key_size});
        const Tensor values = b.reshape(parts[2], {kTokens, c.kv_heads, c.value_size});
        return b.attention(queries, keys, values, kv, options);
      });
  made.accuracy = Accuracy::kAttention;
  made.is_optional = c.is_optional;
  made.is_long = c.is_long;
  return made;
}

const AttentionOptions kScaled{.scale = 0.25};

// ---- rope: every attribute at a value that is no default -----------------------------------------

RopeScaling yarn_of(std::int64_t original_context_length, double beta_fast, double beta_slow,
                    double extrapolation = 1) {
  return {.kind = "yarn",
          .factor = 4,
          .original_context_length = original_context_length,
          .beta_fast = beta_fast,
          .beta_slow = beta_slow,
          .extrapolation = extrapolation};
}

std::vector<RopeCase> attribute_cases() {
  const RopeScaling linear{.kind = "linear", .factor = 4};
  const RopeScaling banded{.kind = "banded",
                           .factor = 8,
                           .original_context_length = 256,
                           .low_freq_factor = 2,
                           .high_freq_factor = 16};
  const RopeScaling enlarged{.magnitude = 0.8};
  return {
      // lo and hi lie inside: 13 and 21 of 32 pairs.
      {"yarn with other betas", {.n_rot = 64, .scaling = yarn_of(4096, 12, 2)}, 1, 64},
      {"yarn, extrapolation 0.6", {.n_rot = 64, .scaling = yarn_of(4096, 32, 1, 0.6)}, 1, 64},
      {"yarn, extrapolation 0", {.n_rot = 64, .scaling = yarn_of(4096, 32, 1, 0)}, 1, 64},
      // Without the bounds of the formula lo were -11 here, and hi 34 below.
      {"yarn whose fast end is cut at 0", {.n_rot = 64, .scaling = yarn_of(64, 200, 1)}, 1, 64},
      {"yarn whose slow end is cut at n_rot - 1",
       {.n_rot = 24, .base = 10, .scaling = yarn_of(4096, 500, 1)}},
      {"yarn with equal ends", {.n_rot = 64, .scaling = yarn_of(4096, 4, 6)}, 1, 64},
      {"yarn with factors", {.n_rot = 64, .scaling = yarn_of(4096, 32, 1)}, 1, 64, 1, true},
      {"banded with other bands", {.n_rot = 24, .scaling = banded}},
      {"banded with factors", {.n_rot = 24, .scaling = banded}, 3, 24, 1, true},
      {"linear with factors", {.n_rot = 24, .scaling = linear}, 3, 24, 1, true},
      {"with a magnitude alone", {.n_rot = 24, .scaling = enlarged}},
  };
}

/// Positions of several axes. Not every model has them.
std::vector<RopeCase> axes_cases() {
  return {
      {"chunked over three axes",
       {.n_rot = 24, .mrope = "chunked", .sections = {4, 4, 4, 0}},
       3,
       24,
       3,
       false,
       true},
      {"chunked over four axes",
       {.n_rot = 24, .mrope = "chunked", .sections = {3, 3, 4, 2}},
       3,
       24,
       4,
       false,
       true},
      {"chunked, pairs side by side",
       {.n_rot = 24, .style = "interleaved", .mrope = "chunked", .sections = {5, 4, 3, 0}},
       3,
       24,
       3,
       false,
       true},
      {"interleaved axes",
       {.n_rot = 24, .mrope = "interleaved", .sections = {4, 4, 4, 0}},
       3,
       24,
       3,
       false,
       true},
      {"interleaved axes of unequal sections",
       {.n_rot = 24, .mrope = "interleaved", .sections = {6, 4, 2, 0}},
       3,
       24,
       3,
       false,
       true},
      {"interleaved over four axes",
       {.n_rot = 24, .mrope = "interleaved", .sections = {3, 2, 2, 5}},
       3,
       24,
       4,
       false,
       true},
  };
}

}  // namespace

std::vector<OperationCase> rope_cases() {
  const RopeScaling linear{.kind = "linear", .factor = 4};
  const RopeScaling yarn{
      .kind = "yarn", .factor = 4, .original_context_length = 64, .magnitude = 1.2};
  const RopeScaling banded{.kind = "banded", .factor = 8, .original_context_length = 64};
  const RopeScaling longrope{.kind = "longrope", .magnitude = 1.1};
  std::vector<OperationCase> cases;
  for (const RopeCase& c : {
           RopeCase{"neox", {.n_rot = 24}},
           {"interleaved", {.n_rot = 24, .style = "interleaved"}},
           {"neox, the first 8", {.n_rot = 8}},
           {"interleaved, the first 10", {.n_rot = 10, .style = "interleaved", .base = 5e5}},
           {"neox, one head", {.n_rot = 64, .base = 1e6}, 1, 64},
           {"linear", {.n_rot = 24, .scaling = linear}},
           {"yarn", {.n_rot = 24, .scaling = yarn}},
           {"banded", {.n_rot = 24, .scaling = banded}},
           {"with factors", {.n_rot = 24}, 3, 24, 1, true},
           {"longrope", {.n_rot = 24, .scaling = longrope}, 3, 24, 1, true, true},
       }) {
    cases.push_back(rope_case(c));
  }
  for (const RopeCase& c : attribute_cases()) cases.push_back(rope_case(c));
  for (const RopeCase& c : axes_cases()) cases.push_back(rope_case(c));
  return cases;
}

std::vector<OperationCase> attention_cases() {
  std::vector<OperationCase> cases;
  for (const AttentionCase& c : {
           AttentionCase{"grouped", 4, 2, 32, 32, 0, kScaled, false, false, true},
           {"of equal heads", 3, 3, 16, 16, 0, kScaled},
           {"over one head", 6, 1, 64, 64, 0, kScaled},
           {"with other values than keys", 2, 1, 64, 32, 0, kScaled, false, true},
           {"with a softcap", 4, 2, 32, 32, 0, {.scale = 0.5, .softcap = 2}},
           {"with sinks", 4, 2, 32, 32, 0, kScaled, true, true},
           {"in both directions", 4, 2, 32, 32, 0, {.scale = 0.25, .causal = false}, false, true},
           {"of large heads", 2, 1, 128, 128, 0, {.scale = 0.1}},
           {"of odd heads", 2, 1, 20, 20, 0, kScaled, false, true},
           {"of heads of 192", 2, 1, 192, 192, 0, {.scale = 0.08}, false, true},
           {"of heads of 192 with values of 128", 2, 1, 192, 128, 0, {.scale = 0.08}, false, true},
           {"of heads of 256", 2, 1, 256, 256, 0, {.scale = 0.06}, false, true},
           {"of eight heads over one", 8, 1, 32, 32, 0, kScaled, false, false, true},
           {"of twenty-four heads over two", 24, 2, 32, 32, 0, kScaled},
       }) {
    cases.push_back(attention_case(c));
  }
  return cases;
}

std::vector<OperationCase> window_cases() {
  std::vector<OperationCase> cases;
  for (const std::int64_t window : {1, 2, 8, 63, 64, 65}) {
    cases.push_back(attention_case({"in a window", 4, 2, 32, 32, window, kScaled}));
  }
  for (const std::int64_t window : {129, 512}) {
    cases.push_back(
        attention_case({"in a wide window", 2, 1, 32, 32, window, kScaled, false, false, true}));
  }
  return cases;
}

}  // namespace vernal::check
