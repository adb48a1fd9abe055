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
        return b.attention(b.reshape(parts[0], {kTokens, c.heads, c.key_size}),
                           b.reshape(parts[1], {kTokens, c.kv_heads, c.key_size}),
                           b.reshape(parts[2], {kTokens, c.kv_heads, c.value_size}), kv, options);
      });
  made.accuracy = Accuracy::kAttention;
  made.is_optional = c.is_optional;
  return made;
}

const AttentionOptions kScaled{.scale = 0.25};

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
           {"interleaved axes",
            {.n_rot = 24, .mrope = "interleaved", .sections = {4, 4, 4, 0}},
            3,
            24,
            3,
            false,
            true},
       }) {
    cases.push_back(rope_case(c));
  }
  return cases;
}

std::vector<OperationCase> attention_cases() {
  std::vector<OperationCase> cases;
  for (const AttentionCase& c : {
           AttentionCase{"grouped", 4, 2, 32, 32, 0, kScaled},
           {"of equal heads", 3, 3, 16, 16, 0, kScaled},
           {"over one head", 6, 1, 64, 64, 0, kScaled},
           {"with other values than keys", 2, 1, 64, 32, 0, kScaled, false, true},
           {"with a softcap", 4, 2, 32, 32, 0, {.scale = 0.5, .softcap = 2}},
           {"with sinks", 4, 2, 32, 32, 0, kScaled, true, true},
           {"in both directions", 4, 2, 32, 32, 0, {.scale = 0.25, .causal = false}, false, true},
           {"of large heads", 2, 1, 128, 128, 0, {.scale = 0.1}},
           {"of odd heads", 2, 1, 20, 20, 0, kScaled, false, true},
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
  return cases;
}

}  // namespace vernal::check
