#include "plugin_check/models/tiny_model.hpp"

#include <algorithm>
#include <cmath>

namespace vernal::check {
namespace {

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kHeadSize = 32;
constexpr std::int64_t kTaps = 4;      // of the convolution
constexpr std::int64_t kKeySize = 16;  // of the matrix memory
constexpr double kEps = 1e-5;

/// Adds nodes and declares weights as it goes.
class Layers {
 public:
  Layers(const Builder& b, Tensor positions) : b_(b), positions_(positions) {}

  Tensor attention(Tensor x, std::int64_t layer, std::int64_t window) const {
    const std::string blk = "blk." + std::to_string(layer);
    const Tensor u = norm(x, blk + ".norm");
    const auto heads = [&](const char* name, std::int64_t count) {
      return b_.reshape(linear(u, blk + name, kHidden, count * kHeadSize),
                        {kTokens, count, kHeadSize});
    };
    const RopeOptions rope{.n_rot = kHeadSize};
    const Tensor q = b_.rope(heads(".q", kHeads), positions_, rope);
    const Tensor k = b_.rope(heads(".k", 1), positions_, rope);
    const Tensor v = heads(".v", 1);
    const std::string state = blk + ".kv";
    const StateRef kv = b_.state(KvState{state, layer, 1, kHeadSize, kHeadSize, window});
    const Tensor a = b_.attention(q, k, v, kv, {.scale = 1 / std::sqrt(32.0)});
    return b_.add(x, linear(a, blk + ".o", kHeads * kHeadSize, kHidden));
  }

  Tensor recurrence(Tensor x, std::int64_t layer) const {
    const std::string blk = "blk." + std::to_string(layer);
    const std::int64_t width = 2 * kKeySize + kHeads * kHeadSize;
    const std::string conv_name = blk + ".conv";
    const std::string memory_name = blk + ".memory";
    const StateRef conv = b_.state(ConvState{conv_name, layer, width, kTaps});
    const StateRef memory =
        b_.state(RecurrentState{memory_name, layer, kHeads, kKeySize, kHeadSize});
    const Tensor u = norm(x, blk + ".norm");
    Tensor y = b_.conv1d_state(linear(u, blk + ".qkv", kHidden, width),
                               b_.weight(blk + ".taps", {width, kTaps}), {}, conv, "silu");
    const std::vector<Tensor> parts = b_.split(y, 1, {kKeySize, kKeySize, kHeads * kHeadSize});
    const Tensor gates = linear(u, blk + ".gates", kHidden, 2 * kHeads, Element::kF32);
    const std::vector<Tensor> gate = b_.split(gates, 1, {kHeads, kHeads});
    const Builder::DeltaRuleInputs in{
        b_.reshape(parts[0], {kTokens, 1, kKeySize}), b_.reshape(parts[1], {kTokens, 1, kKeySize}),
        b_.reshape(parts[2], {kTokens, kHeads, kHeadSize}),
        b_.scale(b_.act(gate[0], "softplus"), -0.2), b_.act(gate[1], "sigmoid")};
    y = b_.gated_delta_rule(in, memory, {.scale = 0.25, .qk_l2norm = true});
    y = b_.reshape(y, {kTokens, kHeads * kHeadSize});
    return b_.add(x, linear(y, blk + ".o", kHeads * kHeadSize, kHidden));
  }

  Tensor norm(Tensor x, const std::string& name) const {
    return b_.rmsnorm(x, b_.weight(name, {kHidden}), kEps);
  }
  Tensor linear(Tensor x, const std::string& name, std::int64_t in, std::int64_t out,
                Element element = Element::kAct) const {
    return b_.linear(name, x, b_.weight(name, {out, in}), {}, element);
  }

 private:
  const Builder& b_;
  Tensor positions_;
};

void add_layer_weights(MadeWeights& weights, const std::string& blk, RandomNumbers& random) {
  weights.add_values(blk + ".norm", {kHidden}, random.floats(kHidden, 0.2, 1.0));
  weights.add(blk + ".q", {kHeads * kHeadSize, kHidden}, random, 0.4);
  weights.add(blk + ".k", {kHeadSize, kHidden}, random, 0.4);
  weights.add(blk + ".v", {kHeadSize, kHidden}, random, 0.3);
  weights.add(blk + ".o", {kHidden, kHeads * kHeadSize}, random, 0.3);
  const std::int64_t width = 2 * kKeySize + kHeads * kHeadSize;
  weights.add(blk + ".qkv", {width, kHidden}, random, 0.3);
  weights.add(blk + ".taps", {width, kTaps}, random, 0.6);
  weights.add(blk + ".gates", {2 * kHeads, kHidden}, random, 0.2);
}

/// Windows of the attention layers, from the first layer on; 0: all positions. The layer without
/// attention of a hybrid model has one of no meaning.
std::vector<std::int64_t> windows_of(Memory memory) {
  switch (memory) {
    case Memory::kWindow:
      return {kWindow, kWindow};
    case Memory::kMixed:
      return {kWindow, 0, kWideWindow};
    case Memory::kFull:
    case Memory::kHybrid:
      break;
  }
  return {0, 0};
}

}  // namespace

MadeModule make_tiny_model(Memory memory) {
  const std::vector<std::int64_t> windows = windows_of(memory);
  const auto num_layers = static_cast<std::int64_t>(windows.size());
  RandomNumbers random(7);
  MadeWeights weights;
  weights.add("embedding", {kVocabulary, kHidden}, random, 1.0);
  for (std::int64_t i = 0; i < num_layers; ++i) {
    add_layer_weights(weights, "blk." + std::to_string(i), random);
  }
  weights.add_values("norm", {kHidden}, random.floats(kHidden, 0.2, 1.0));
  weights.add("head", {kVocabulary, kHidden}, random, 0.3);
  return make_module(std::move(weights), [&](const Builder& b) {
    const Tensor ids = b.input("ids", Element::kI32, {kTokens});
    const Layers layers(b, b.input("positions", Element::kI32, {kTokens, 1}));
    Tensor x = b.embed(ids, b.weight("embedding", {kVocabulary, kHidden}));
    for (std::int64_t i = 0; i < num_layers; ++i) {
      const bool is_recurrent = memory == Memory::kHybrid && i == 0;
      x = is_recurrent ? layers.recurrence(x, i)
                       : layers.attention(x, i, windows[static_cast<std::size_t>(i)]);
    }
    x = layers.linear(layers.norm(x, "norm"), "head", kHidden, kVocabulary, Element::kF32);
    b.output("logits", x, "all");
  });
}

MadeModule make_least_module() {
  RandomNumbers random(3);
  MadeWeights weights;
  weights.add("embedding", {kVocabulary, kHidden}, random, 1.0);
  weights.add("map", {kHidden, kHidden}, random);
  return make_module(std::move(weights), [&](const Builder& b) {
    const Tensor ids = b.input("ids", Element::kI32, {kTokens});
    const Tensor x = b.embed(ids, b.weight("embedding", {kVocabulary, kHidden}));
    b.output("hidden", b.linear("map", x, b.weight("map", {kHidden, kHidden}), {}, Element::kF32),
             "all");
  });
}

std::vector<std::int32_t> tokens(std::uint64_t seed, std::size_t count) {
  RandomNumbers random(seed);
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(random.below(kVocabulary));
  return out;
}

std::vector<std::vector<float>> token_step(Machine& machine, const std::vector<TokenPart>& parts) {
  StepData data;
  std::vector<Part> taken;
  auto& ids = data.integers["ids"];
  auto& positions = data.integers["positions"];
  for (const TokenPart& part : parts) {
    taken.push_back({part.sequence, part.tokens.size()});
    for (std::size_t i = 0; i < part.tokens.size(); ++i) {
      data.rows.push_back(static_cast<std::int32_t>(ids.size()));
      ids.push_back(part.tokens[i]);
      positions.push_back(static_cast<std::int32_t>(part.position + i));
    }
  }
  data.num_tokens = ids.size();
  const std::vector<float> logits = machine.step(taken, data, "logits");
  std::vector<std::vector<float>> out;
  auto next = logits.begin();
  for (const TokenPart& part : parts) {
    const auto size = static_cast<std::ptrdiff_t>(part.tokens.size()) * kVocabulary;
    out.emplace_back(next, next + size);
    next += size;
  }
  return out;
}

std::vector<float> feed(Machine& machine, vernal_sequence_id sequence,
                        std::span<const std::int32_t> ids, std::uint64_t position,
                        std::uint64_t chunk) {
  std::vector<float> out;
  std::size_t done = 0;
  while (done < ids.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(ids.size() - done, chunk - position % chunk);
    const auto part = ids.subspan(done, size);
    const auto logits = token_step(machine, {{sequence, {part.begin(), part.end()}, position}});
    out.insert(out.end(), logits[0].begin(), logits[0].end());
    done += size;
    position += size;
  }
  return out;
}

}  // namespace vernal::check
