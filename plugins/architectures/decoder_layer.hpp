// The parts of one decoder layer. Weights are found by their names in the file:
// "blk.3.attn_q.weight".
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "decoder_config.hpp"

namespace vernal::architectures {

/// A layer that is being built. Nodes that are added while it lives have its path. Borrows all
/// arguments.
class DecoderLayer {
 public:
  enum class Bias { kIfStored, kRequired };

  DecoderLayer(const Builder& builder, const Metadata& metadata, const DecoderConfig& config,
               std::int64_t index)
      : b_(builder),
        metadata_(metadata),
        c_(config),
        index_(index),
        scope_(builder.scope("blk", index)) {}

  /// The RMS norm over the last dimension, which has `size` elements.
  Tensor norm(std::string_view name, Tensor x, std::int64_t size) const {
    return b_.rmsnorm(x, weight(std::string(name) + ".weight", {size}), c_.norm_eps);
  }

  /// x[T, in] -> [T, out]. If the file has a bias, it is added: without it, results would be wrong
  /// without a message.
  Tensor linear(std::string_view name, Tensor x, std::int64_t in, std::int64_t out,
                Bias bias = Bias::kIfStored) const {
    const bool has_bias =
        bias == Bias::kRequired || metadata_.has_tensor(scope_.name(std::string(name) + ".bias"));
    // Declared in statements of their own: a compiler may evaluate arguments in any order, and the
    // order of weights must not depend on it.
    const WeightRef w = weight(std::string(name) + ".weight", {out, in});
    const WeightRef b = has_bias ? weight(std::string(name) + ".bias", {out}) : WeightRef{};
    return b_.linear(name, x, w, b);
  }

  /// x[T, in] -> f32[T, out], for results that need precision: routers, and gates of a memory.
  Tensor linear_f32(std::string_view name, Tensor x, std::int64_t in, std::int64_t out) const {
    return b_.linear(name, x, weight(std::string(name) + ".weight", {out, in}), {}, Element::kF32);
  }

  /// A weight of this layer, by the rest of its name: "ssm_dt.bias".
  WeightRef weight(std::string_view name, const Dims& dims) const {
    return b_.weight(scope_.name(name), dims);
  }

  bool has(std::string_view name) const { return metadata_.has_tensor(scope_.name(name)); }
  /// A weight of this layer; if the layer has none, the weight `shared` of the whole model.
  WeightRef weight_or(std::string_view name, std::string_view shared, const Dims& dims) const {
    return has(name) ? weight(name, dims) : b_.weight(shared, dims);
  }

  /// Throws UNSUPPORTED with the tensor's name if the file has it: if it were ignored, results
  /// would be wrong without a message.
  void refuse_tensor(std::string_view name, std::string_view why) const {
    if (!has(name)) return;
    throw Error(VERNAL_UNSUPPORTED, "tensor \"" + scope_.name(name) + "\": " + std::string(why));
  }

  /// The name of a state of this layer: "blk.3.kv" for "kv".
  std::string name(std::string_view rest) const { return scope_.name(rest); }
  std::int64_t index() const { return index_; }

  /// [T, count * size] -> [T, count, size].
  Tensor heads(Tensor x, std::int64_t count, std::int64_t size) const {
    return b_.reshape(x, {kTokens, count, size});
  }

  /// The keys and values of this layer. Window 0: all past positions are seen.
  StateRef kv_state(std::int64_t window = 0) const {
    const std::string name = scope_.name("kv");
    return b_.state(KvState{name, index_, c_.num_kv_heads, c_.key_size, c_.value_size, window});
  }

 private:
  const Builder& b_;
  const Metadata& metadata_;
  const DecoderConfig& c_;
  std::int64_t index_;
  Scope scope_;
};

/// The residual [T, D] before the first layer of a build: the embedded tokens times `scale`, or the
/// result of the segment before.
inline Tensor begin_residual(const Builder& b, const DecoderConfig& c, const LayerRange& layers,
                             double scale = 1) {
  if (!layers.has_embedding) return b.input("hidden", Element::kF32, {kTokens, c.hidden_size});
  const Tensor ids = b.input("ids", Element::kI32, {kTokens});
  return b.embed(ids, b.weight("token_embd.weight", {c.vocabulary_size, c.hidden_size}), scale);
}

/// The scores over the vocabulary, [R, V], of normed rows x[R, D]. The head may be the embedding.
inline Tensor score_vocabulary(const Builder& b, const Metadata& metadata, const DecoderConfig& c,
                               Tensor x) {
  const WeightRef w = b.weight(c.is_tied ? "token_embd.weight" : "output.weight",
                               {c.vocabulary_size, c.hidden_size});
  const WeightRef bias = metadata.has_tensor("output.bias")
                             ? b.weight("output.bias", {c.vocabulary_size})
                             : WeightRef{};
  return b.linear("output", x, w, bias, Element::kF32);
}

/// Whether a build asks for the output `hidden` beside the logits.
inline bool wants_hidden(const BuildOptions& options) {
  return std::find(options.outputs.begin(), options.outputs.end(), "hidden") !=
         options.outputs.end();
}

/// The same as head() for a build that wants the hidden states too: they are those of all tokens,
/// behind the final norm.
inline Tensor head_with_hidden(const Builder& b, const Metadata& metadata, const DecoderConfig& c,
                               Tensor x) {
  x = b.rmsnorm(x, b.weight("output_norm.weight", {c.hidden_size}), c.norm_eps, Element::kF32);
  b.output("hidden", x, "all");
  x = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
  return score_vocabulary(b, metadata, c, x);
}

/// The scores over the vocabulary, [R, V], of the rows of x[T, D] that are wanted: final norm, then
/// the head, which may be the embedding. Gives the output `hidden` too if the build wants it.
inline Tensor head(const Builder& b, const Metadata& metadata, const DecoderConfig& c,
                   const BuildOptions& options, Tensor x) {
  if (wants_hidden(options)) return head_with_hidden(b, metadata, c, x);
  x = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
  x = b.rmsnorm(x, b.weight("output_norm.weight", {c.hidden_size}), c.norm_eps);
  return score_vocabulary(b, metadata, c, x);
}

}  // namespace vernal::architectures
