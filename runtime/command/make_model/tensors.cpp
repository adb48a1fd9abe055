#include "command/make_model/tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace vernal {
namespace {

constexpr std::array<std::string_view, 5> kAddToResidual{"attn_output", "ssm_out", "ffn_down",
                                                         "ffn_down_exps", "ffn_down_shexp"};

class TensorList {
 public:
  explicit TensorList(const ModelShape& shape) : s_(shape) {}

  std::vector<TensorPlan> take() { return std::move(tensors_); }

  void ends(std::uint64_t num_tokens) {
    const auto tokens = static_cast<std::int64_t>(num_tokens);
    matrix("token_embd", {s_.hidden_size, tokens});
    // A row that is read as a vector has elements around 1; one that scores vectors of such
    // elements (a tied head), or is multiplied by the root of its length (families with post
    // norms), is shorter.
    if (!s_.tied_head && !s_.family->has_post_norms) tensors_.back().scale = 1;
    ones("output_norm", s_.hidden_size);
    if (!s_.tied_head) matrix("output", {s_.hidden_size, tokens});
  }

  void layer(std::int64_t index) {
    prefix_ = fmt::format("blk.{}.", index);
    const bool is_hybrid = s_.family->is_hybrid;
    ones("attn_norm", s_.hidden_size);
    if (s_.family->has_post_norms || is_hybrid) ones("post_attention_norm", s_.hidden_size);
    s_.is_recurrent(index) ? delta_net() : attention();
    if (!is_hybrid) ones("ffn_norm", s_.hidden_size);
    if (s_.family->has_post_norms) ones("post_ffw_norm", s_.hidden_size);
    s_.family->has_experts ? experts() : feed_forward();
    if (index >= s_.layers) prediction();
  }

 private:
  using Dims = std::vector<std::int64_t>;

  TensorPlan& add(std::string_view stem, std::string_view suffix, const Dims& dims) {
    TensorPlan tensor;
    tensor.stem = stem;
    tensor.name = fmt::format("{}{}{}", prefix_, stem, suffix);
    tensor.dims.assign(dims.begin(), dims.end());
    tensor.type = find_block_type("f32");
    return tensors_.emplace_back(std::move(tensor));
  }

  /// Vectors of elements around 1 give such vectors again: deviation 1 / sqrt(columns). What two
  /// such matrices of every layer add to the residual is damped by 1 / sqrt(2 layers), as training
  /// starts (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", 2.3):
  /// else the sum forgets the token, and every rounding grows from layer to layer.
  void matrix(std::string_view stem, const Dims& dims) {
    TensorPlan& tensor = add(stem, ".weight", dims);
    tensor.is_matrix = true;
    tensor.scale = 1 / std::sqrt(static_cast<double>(dims[0]));
    if (std::ranges::find(kAddToResidual, stem) != kAddToResidual.end())
      tensor.scale /= std::sqrt(2.0 * static_cast<double>(s_.layers));
    const auto named = s_.types.find(stem);
    // Programs expect a router in f32, so it takes no default.
    if (named != s_.types.end()) {
      tensor.type = named->second;
    } else if (stem != "ffn_gate_inp") {
      tensor.type = s_.default_type;
    }
  }

  void ones(std::string_view stem, std::int64_t size) {
    add(stem, ".weight", {size}).filling = Filling::kOnes;
  }

  void attention() {
    const std::int64_t q = s_.heads * s_.head_size;
    const std::int64_t kv = s_.kv_heads * s_.head_size;
    matrix("attn_q", {s_.hidden_size, s_.family->is_hybrid ? 2 * q : q});  // and its gate
    matrix("attn_k", {s_.hidden_size, kv});
    matrix("attn_v", {s_.hidden_size, kv});
    matrix("attn_output", {q, s_.hidden_size});
    if (s_.family->has_biases) {
      constexpr double kBias = 0.1;  // seen, and small beside what it is added to
      add("attn_q", ".bias", {q}).scale = kBias;
      add("attn_k", ".bias", {kv}).scale = kBias;
      add("attn_v", ".bias", {kv}).scale = kBias;
    }
    if (s_.family->has_head_norms) {
      ones("attn_q_norm", s_.head_size);
      ones("attn_k_norm", s_.head_size);
    }
  }

  void delta_net() {
    const DeltaNetShape& d = s_.delta_net;
    matrix("attn_qkv", {s_.hidden_size, d.channels()});
    matrix("attn_gate", {s_.hidden_size, d.inner_size()});
    add("ssm_conv1d", ".weight", {d.conv_width, d.channels()}).scale =
        1 / std::sqrt(static_cast<double>(d.conv_width));
    add("ssm_dt", ".bias", {d.value_heads}).filling = Filling::kTimeStep;
    add("ssm_a", "", {d.value_heads}).filling = Filling::kDecay;
    matrix("ssm_beta", {s_.hidden_size, d.value_heads});
    matrix("ssm_alpha", {s_.hidden_size, d.value_heads});
    ones("ssm_norm", d.head_size);
    matrix("ssm_out", {d.inner_size(), s_.hidden_size});
  }

  void feed_forward() {
    matrix("ffn_gate", {s_.hidden_size, s_.feed_forward_size});
    matrix("ffn_up", {s_.hidden_size, s_.feed_forward_size});
    matrix("ffn_down", {s_.feed_forward_size, s_.hidden_size});
  }

  void experts() {
    const ExpertShape& e = s_.experts;
    matrix("ffn_gate_inp", {s_.hidden_size, e.count});
    matrix("ffn_gate_exps", {s_.hidden_size, e.size, e.count});
    matrix("ffn_up_exps", {s_.hidden_size, e.size, e.count});
    matrix("ffn_down_exps", {e.size, s_.hidden_size, e.count});
    if (e.shared_size == 0) return;
    add("ffn_gate_inp_shexp", ".weight", {s_.hidden_size}).scale =
        1 / std::sqrt(static_cast<double>(s_.hidden_size));
    matrix("ffn_gate_shexp", {s_.hidden_size, e.shared_size});
    matrix("ffn_up_shexp", {s_.hidden_size, e.shared_size});
    matrix("ffn_down_shexp", {e.shared_size, s_.hidden_size});
  }

  void prediction() {
    matrix("nextn.eh_proj", {2 * s_.hidden_size, s_.hidden_size});
    ones("nextn.enorm", s_.hidden_size);
    ones("nextn.hnorm", s_.hidden_size);
    ones("nextn.shared_head_norm", s_.hidden_size);
  }

  const ModelShape& s_;
  std::string prefix_;
  std::vector<TensorPlan> tensors_;
};

/// The number that other programs show as the kind of file: that of its most common type.
std::uint32_t file_type_of(const BlockType& type) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 9> kNumbers{{{"f32", 0},
                                                                                {"f16", 1},
                                                                                {"q4_0", 2},
                                                                                {"q8_0", 7},
                                                                                {"q4_K", 15},
                                                                                {"q6_K", 18},
                                                                                {"iq4_nl", 25},
                                                                                {"bf16", 32},
                                                                                {"iq4_ks", 145}}};
  for (const auto& [name, number] : kNumbers) {
    if (name == type.name) return number;
  }
  return 1;
}

/// Adds "ARCHITECTURE.KEY".
class ShapeKeys {
 public:
  ShapeKeys(const ModelShape& shape, GgufFileWriter& writer) : s_(shape), writer_(writer) {}

  void add(std::string_view key, const GgufValue& value) {
    writer_.add(fmt::format("{}.{}", s_.family->architecture, key), value);
  }
  void integer(std::string_view key, std::int64_t value) {
    add(key, GgufValue::u32(static_cast<std::uint32_t>(value)));
  }

  void decoder() {
    integer("context_length", s_.context_length);
    integer("embedding_length", s_.hidden_size);
    integer("block_count", s_.all_layers());
    integer("feed_forward_length", s_.feed_forward_size);
    integer("attention.head_count", s_.heads);
    integer("attention.head_count_kv", s_.kv_heads);
    integer("attention.key_length", s_.head_size);
    integer("attention.value_length", s_.head_size);
    add("attention.layer_norm_rms_epsilon", GgufValue::f32(s_.norm_eps));
    add("rope.freq_base", GgufValue::f32(s_.rope_base));
    integer("rope.dimension_count", s_.rotated_size);
    if (s_.window > 0) integer("attention.sliding_window", s_.window);
  }

  /// Pairs of a head over time, height and width, near the proportion 11 : 11 : 10.
  void sections() {
    const std::int64_t pairs = s_.rotated_size / 2;
    const std::int64_t time = (pairs + 2) / 3;
    const std::int64_t height = (pairs - time + 1) / 2;
    const std::array<std::int64_t, 4> sizes{time, height, pairs - time - height, 0};
    add("rope.dimension_sections", GgufValue::i32s(sizes));
  }

  void hybrid() {
    const DeltaNetShape& d = s_.delta_net;
    sections();
    integer("ssm.conv_kernel", d.conv_width);
    integer("ssm.inner_size", d.inner_size());
    integer("ssm.state_size", d.head_size);
    integer("ssm.time_step_rank", d.value_heads);
    integer("ssm.group_count", d.key_heads);
    integer("full_attention_interval", d.attention_interval);
    if (d.prediction_layers > 0) integer("nextn_predict_layers", d.prediction_layers);
  }

  void experts() {
    integer("expert_count", s_.experts.count);
    integer("expert_used_count", s_.experts.used);
    integer("expert_feed_forward_length", s_.experts.size);
    if (s_.experts.shared_size > 0) {
      integer("expert_shared_feed_forward_length", s_.experts.shared_size);
    }
  }

 private:
  const ModelShape& s_;
  GgufFileWriter& writer_;
};

}  // namespace

std::uint64_t TensorPlan::rows() const noexcept {
  return std::accumulate(dims.begin() + 1, dims.end(), std::uint64_t{1}, std::multiplies<>());
}

std::vector<TensorPlan> plan_tensors(const ModelShape& shape, std::uint64_t num_tokens) {
  TensorList list(shape);
  list.ends(num_tokens);
  for (std::int64_t i = 0; i < shape.all_layers(); ++i) list.layer(i);
  return list.take();
}

void add_shape_metadata(const ModelShape& shape, GgufFileWriter& writer) {
  writer.add("general.architecture", GgufValue::text(shape.family->architecture));
  writer.add("general.name", GgufValue::text(shape.name));
  writer.add("general.file_type", GgufValue::u32(file_type_of(*shape.default_type)));
  writer.add("general.quantization_version", GgufValue::u32(2));
  ShapeKeys keys(shape, writer);
  keys.decoder();
  if (shape.family->is_hybrid) keys.hybrid();
  if (shape.family->has_experts) keys.experts();
}

}  // namespace vernal
