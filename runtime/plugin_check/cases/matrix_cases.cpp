// Cases of embed, rmsnorm and linear.
#include "plugin_check/cases/operation_case.hpp"

namespace vernal::check {
namespace {

constexpr std::int64_t kRows = 97;  // of the embedding

OperationCase embed_case(const char* format, std::int64_t width, double scale, Element out) {
  RandomNumbers random(2);
  MadeWeights weights;
  weights.add("embedding", {kRows, width}, random, 1.0, format);
  OperationCase made;
  made.label = fmt::format("embed of {} rows of {} in {}, scale {}, out {}", kRows, width, format,
                           scale, element_name(out));
  made.made = make_module(std::move(weights), [&](const Builder& b) {
    const Tensor ids = b.input("ids", Element::kI32, {kTokens});
    const Tensor x = b.embed(ids, b.weight("embedding", {kRows, width}), scale, out);
    b.output("hidden", as_output(b, x, width), "all");
  });
  return made;
}

struct NormShape {
  std::int64_t groups;  // 1: [T, size], else [T, groups, size]
  std::int64_t size;
};

OperationCase rmsnorm_case(NormShape shape, bool has_weight, double scale) {
  RandomNumbers random(3);
  MadeWeights weights;
  if (has_weight) weights.add_values("norm", {shape.size}, random.floats(shape.size, 0.5, 1.0));
  const std::int64_t width = shape.groups * shape.size;
  return case_over_x(fmt::format("rmsnorm of [T,{},{}] {} weight, values about {}", shape.groups,
                                 shape.size, has_weight ? "with" : "without", scale),
                     width, width, std::move(weights), [&](const Builder& b, Tensor x) {
                       x = b.scale(x, scale);
                       if (shape.groups > 1) x = b.reshape(x, {kTokens, shape.groups, shape.size});
                       const WeightRef w =
                           has_weight ? b.weight("norm", {shape.size}) : WeightRef{};
                       return b.rmsnorm(x, w, 1e-6);
                     });
}

struct LinearShape {
  std::int64_t in;
  std::int64_t out;
  bool has_bias = false;
};

OperationCase linear_case(LinearShape shape, Element out) {
  RandomNumbers random(4);
  MadeWeights weights;
  weights.add("map", {shape.out, shape.in}, random);
  if (shape.has_bias) weights.add("bias", {shape.out}, random, 2.0);
  OperationCase made = case_over_x(
      fmt::format("linear from {} to {}{}, out {}", shape.in, shape.out,
                  shape.has_bias ? " with bias" : "", element_name(out)),
      shape.in, shape.out, std::move(weights), [&](const Builder& b, Tensor x) {
        const WeightRef bias = shape.has_bias ? b.weight("bias", {shape.out}) : WeightRef{};
        return b.linear("map", x, b.weight("map", {shape.out, shape.in}), bias, out);
      });
  made.accuracy = Accuracy::kLinear;
  return made;
}

/// One map applied to each head, and two maps that share their input.
OperationCase linear_of_heads_case() {
  RandomNumbers random(4);
  MadeWeights weights;
  weights.add("p", {16, 32}, random);
  weights.add("q", {16, 32}, random);
  OperationCase made =
      case_over_x("linear of [T,3,32], twice from one input", 96, 48, std::move(weights),
                  [](const Builder& b, Tensor x) {
                    x = b.reshape(x, {kTokens, 3, 32});
                    const Tensor p = b.linear("p", x, b.weight("p", {16, 32}), {}, Element::kF32);
                    const Tensor q = b.linear("q", x, b.weight("q", {16, 32}), {}, Element::kF32);
                    return b.mul(p, q);
                  });
  made.accuracy = Accuracy::kLinear;
  made.is_optional = true;
  return made;
}

}  // namespace

std::vector<OperationCase> embed_cases() {
  std::vector<OperationCase> cases;
  cases.push_back(embed_case("f32", 64, 1.0, Element::kF32));
  cases.push_back(embed_case("f32", 64, 3.5, Element::kF32));
  cases.push_back(embed_case("f16", 64, 1.0, Element::kAct));
  cases.push_back(embed_case("ggml.q8_0/1", 96, 8.0, Element::kF32));
  cases.back().is_optional = true;
  return cases;
}

std::vector<OperationCase> rmsnorm_cases() {
  std::vector<OperationCase> cases;
  for (const bool has_weight : {true, false}) {
    for (const NormShape shape : {NormShape{1, 64}, {1, 7}, {1, 1}, {3, 16}, {1, 4096}}) {
      cases.push_back(rmsnorm_case(shape, has_weight, 1.0));
    }
  }
  cases.push_back(rmsnorm_case({1, 64}, true, 1e4));
  cases.push_back(rmsnorm_case({1, 64}, true, 1e-3));
  return cases;
}

std::vector<OperationCase> linear_cases() {
  std::vector<OperationCase> cases;
  for (const LinearShape shape :
       {LinearShape{64, 64}, {256, 17}, {32, 1}, {512, 130, true}, {64, 3, true}, {2048, 40}}) {
    cases.push_back(linear_case(shape, Element::kF32));
  }
  // Outputs that leave a part of a tile over.
  for (const std::int64_t out : {257, 1000, 4099}) {
    cases.push_back(linear_case({64, out}, Element::kF32));
  }
  cases.push_back(linear_case({64, 48, true}, Element::kAct));
  cases.push_back(linear_case({33, 5}, Element::kF32));  // no multiple of any block
  cases.back().is_optional = true;
  cases.push_back(linear_of_heads_case());
  return cases;
}

}  // namespace vernal::check
