// The smallest architecture: a transformer of two layers. Its sizes are the keys "toy.*" of a model
// file.
//
//   x = Embed(ids)
//   twice: x += Attention(Norm(x)), then x += FeedForward(Norm(x))
//   logits = Head(Norm(x))
//
// It runs while a model is loaded, and never while tokens are computed: it only says what is to be
// computed. The core checks every operation as it is added. The backend compiles the whole.
#include <cmath>
#include <string>

#include "vernal/architecture_plugin.hpp"
#include "vernal/plugin.hpp"

namespace {

using vernal::Builder;
using vernal::Element;
using vernal::Metadata;
using vernal::Tensor;
using vernal::WeightRef;

constexpr std::int64_t kNumLayers = 2;
constexpr double kNormEpsilon = 1e-5;

// Numbers of a file are checked against bounds before they are used.
struct ToyConfig {
  explicit ToyConfig(const Metadata& metadata)
      : vocabulary_size(
            metadata.require_int("toy.vocab_size", {.minimum = 1, .maximum = 1'000'000})),
        hidden_size(
            metadata.require_int("toy.embedding_length", {.minimum = 1, .maximum = 65'536})),
        inner_size(
            metadata.require_int("toy.feed_forward_length", {.minimum = 1, .maximum = 1'000'000})),
        num_heads(
            metadata.require_int("toy.attention.head_count", {.minimum = 1, .maximum = 1024})) {
    if (hidden_size % (2 * num_heads) != 0) {
      throw vernal::Error(VERNAL_INVALID_ARGUMENT,
                          "toy.embedding_length: expected a multiple of twice the " +
                              std::to_string(num_heads) + " heads, found " +
                              std::to_string(hidden_size));
    }
  }
  std::int64_t head_size() const { return hidden_size / num_heads; }

  std::int64_t vocabulary_size;
  std::int64_t hidden_size;
  std::int64_t inner_size;
  std::int64_t num_heads;
};

class Toy final : public vernal::Architecture {
 public:
  vernal::Probe probe(const Metadata& metadata) const override {
    const bool is_toy = metadata.find_string("general.architecture") == "toy";
    return is_toy ? vernal::Probe{100, "general.architecture is \"toy\""}
                  : vernal::Probe{0, "general.architecture is not \"toy\""};
  }

  std::string describe(const Metadata& metadata) const override {
    const ToyConfig config(metadata);
    return "hidden size = " + std::to_string(config.hidden_size) +
           "\nheads = " + std::to_string(config.num_heads) + "\n";
  }

  void build(const Metadata& metadata, const vernal::BuildOptions& options,
             const Builder& b) const override {
    if (options.first_layer != 0 ||
        (options.last_layer != -1 && options.last_layer != kNumLayers - 1)) {
      throw vernal::Error(VERNAL_UNSUPPORTED,
                          "toy: a part of the layers was asked for; it builds all");
    }
    const ToyConfig c(metadata);
    b.begin_function("main");
    const Tensor ids = b.input("ids", Element::kI32, {vernal::kTokens});
    const Tensor positions = b.input("positions", Element::kI32, {vernal::kTokens, 1});
    const Tensor rows = b.input("rows", Element::kI32, {vernal::kRows});
    const WeightRef embedding = b.weight("token_embd.weight", {c.vocabulary_size, c.hidden_size});

    Tensor x = b.embed(ids, embedding);
    for (std::int64_t i = 0; i < kNumLayers; ++i) x = layer(b, c, i, x, positions);
    x = b.rmsnorm(b.select_rows(x, rows), b.weight("output_norm.weight", {c.hidden_size}),
                  kNormEpsilon);
    b.output("logits",
             b.linear("output", x, embedding, {}, Element::kF32));  // tied to the embedding
    b.end_function();
  }

 private:
  static Tensor layer(const Builder& b, const ToyConfig& c, std::int64_t index, Tensor x,
                      Tensor positions) {
    const vernal::Scope blk = b.scope("blk", index);
    const std::int64_t D = c.hidden_size, F = c.inner_size, H = c.num_heads, d = c.head_size();
    const auto linear = [&](const char* name, Tensor input, std::int64_t from, std::int64_t to) {
      return b.linear(name, input, b.weight(blk.name(std::string(name) + ".weight"), {to, from}));
    };
    const auto norm = [&](const char* name, Tensor input) {
      return b.rmsnorm(input, b.weight(blk.name(std::string(name) + ".weight"), {D}), kNormEpsilon);
    };
    const auto heads = [&](const char* name, Tensor input) {
      return b.reshape(linear(name, input, D, D), {vernal::kTokens, H, d});
    };
    const vernal::StateRef kv = b.state(vernal::KvState{
        .name = blk.name("kv"), .layer = index, .num_heads = H, .key_size = d, .value_size = d});

    const Tensor u = norm("attn_norm", x);
    const Tensor q = b.rope(heads("attn_q", u), positions, {.n_rot = d});
    const Tensor k = b.rope(heads("attn_k", u), positions, {.n_rot = d});
    const Tensor a =
        b.attention(q, k, heads("attn_v", u), kv, {.scale = 1 / std::sqrt(static_cast<double>(d))});
    x = b.add(x, linear("attn_output", a, D, D));

    const Tensor w = norm("ffn_norm", x);
    const Tensor gate = linear("ffn_gate", w, D, F);
    const Tensor up = linear("ffn_up", w, D, F);
    return b.add(x, linear("ffn_down", b.glu(gate, up), F, D));
  }
};

constexpr vernal_architecture_api kTable = vernal::architecture_table<Toy>();

}  // namespace

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.architecture = &kTable});
