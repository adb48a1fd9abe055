// Builds decoders that mix gated delta nets with gated attention. The caller gives the
// feed-forward.
#pragma once

#include <functional>

#include "decoder_layer.hpp"
#include "hybrid_config.hpp"

namespace vernal::architectures {

/// Builds the feed-forward of a layer: normed u[T, D] -> [T, D].
using HybridFeedForward = std::function<Tensor(const DecoderLayer& blk, Tensor u)>;

/// One build. It lives for the build call. The functions of the module:
///
///   main   ids, positions, rows -> logits. With "mtp" also hidden [T, D], after the last norm.
///   mtp    ids, positions, rows, hidden -> logits, hidden. `ids` are the next tokens. The input
///          `hidden` is the result of "main" or "mtp" for the tokens before them. The logits are
///          those of the tokens after `ids`; the output `hidden` is for the next round.
class HybridModule {
 public:
  HybridModule(const Metadata& metadata, const Builder& builder, const HybridConfig& config,
               HybridFeedForward feed_forward)
      : metadata_(metadata),
        b_(builder),
        h_(config),
        c_(config.decoder),
        feed_forward_(std::move(feed_forward)) {}

  /// Builds "main" and the other functions that the options want.
  /// Errors   UNSUPPORTED: "mtp" of a file that does not have exactly one prediction layer, or of a
  ///          segment that ends before the head
  void build(const BuildOptions& options) const;

 private:
  void build_main(const LayerRange& layers, bool gives_hidden) const;
  void build_mtp() const;
  Tensor layer(const DecoderLayer& blk, Tensor x, Tensor positions, bool is_recurrent) const;
  Tensor gated_attention(const DecoderLayer& blk, Tensor u, Tensor positions) const;
  Tensor gated_delta_net(const DecoderLayer& blk, Tensor u) const;

  const Metadata& metadata_;
  const Builder& b_;
  const HybridConfig& h_;
  const DecoderConfig& c_;
  HybridFeedForward feed_forward_;
};

}  // namespace vernal::architectures
