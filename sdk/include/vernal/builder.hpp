// The module builder as an architecture plugin sees it. It has one method for each operation, so
// that a model's build function reads from embedding to logits.
//
// Comments give shapes by letters: T tokens of the step, R rows of logits, X external rows, P axes
// of positions, V vocabulary, D width of the model, H heads, Hq query heads, Hk and Hkv key heads,
// Hv value heads, d, dk and dv sizes of a head, E experts. sdk/spec/operations.md has the formulas.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vernal/builder_types.hpp"
#include "vernal/metadata.hpp"

namespace vernal {

class Builder;

/// A part of the debug path, such as "blk.3", of the nodes that are added while the object lives.
/// Made by Builder::scope. Borrows the builder.
class Scope {
 public:
  Scope(const Builder& builder, std::string name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// The name of a weight or state of this scope: "blk.3.attn_q.weight" for "attn_q.weight".
  std::string name(std::string_view rest) const { return name_ + "." + std::string(rest); }

 private:
  const Builder& builder_;
  std::string name_;
};

/// Builds one module. The core checks every operation, notes each problem with its path and goes
/// on, so that all problems are reported together when the build ends.
///   Thread     control
///   Lifetime   the build call
///   Errors     methods throw Error only for what cannot go on
class Builder {
 public:
  explicit Builder(vernal_builder_ref ref)
      : builder_(ref.builder), api_(adopt_table(ref.api, "vernal_builder_api")) {}

  // ---- structure --------------------------------------------------------------------------------

  /// What is added until end_function belongs to this function: "main", "mtp", ...
  void begin_function(std::string_view name) const {
    check(api_.begin_function(builder_, to_str(name)), name);
  }
  void end_function() const { check(api_.end_function(builder_), "end_function"); }
  /// Adds "NAME" or "NAME.INDEX" to the debug path until the returned object is destroyed.
  [[nodiscard]] Scope scope(std::string_view name) const { return Scope(*this, std::string(name)); }
  [[nodiscard]] Scope scope(std::string_view name, std::int64_t index) const {
    return Scope(*this, std::string(name) + "." + std::to_string(index));
  }
  /// Gives the core's services a hint, such as a stop token (docs/plugin-guide.md).
  void hint(std::string_view key, std::string_view value) const {
    check(api_.hint(builder_, to_str(key), to_str(value)), key);
  }
  /// The shape of a value of the current function.
  /// Errors   INVALID_ARGUMENT: an earlier problem left the shape unknown
  Shape shape(Tensor x) const {
    vernal_value_view value{};
    value.struct_size = sizeof(value);
    check(api_.value(builder_, x.operand, &value), "shape of a value");
    return detail::read_shape(value.dims, value.rank);
  }

  // ---- weights and states -----------------------------------------------------------------------

  /// Declares a weight by its name in the file and its logical shape. A weight that is declared
  /// again is the same operand.
  WeightRef weight(std::string_view name, const Dims& dims) const {
    WeightRef out;
    check(api_.weight(builder_, to_str(name), dims.data(), static_cast<std::uint32_t>(dims.size()),
                      &out.operand),
          name);
    out.label = label_of(name);
    return out;
  }
  /// Declares a state of the current function. The texts are copied.
  StateRef state(const KvState& s) const {
    vernal_state_desc desc = state_desc(VERNAL_STATE_KV, s.name, s.layer);
    desc.num_heads = s.num_heads;
    desc.key_dim = s.key_size;
    desc.value_dim = s.value_size;
    desc.window = s.window;
    return declare(desc);
  }
  StateRef state(const RecurrentState& s) const {
    vernal_state_desc desc = state_desc(VERNAL_STATE_RECURRENT, s.name, s.layer);
    desc.num_heads = s.num_heads;
    desc.key_dim = s.key_size;
    desc.value_dim = s.value_size;
    return declare(desc);
  }
  StateRef state(const ConvState& s) const {
    vernal_state_desc desc = state_desc(VERNAL_STATE_CONV, s.name, s.layer);
    desc.channels = s.channels;
    desc.width = s.width;
    return declare(desc);
  }

  // ---- inputs and outputs -----------------------------------------------------------------------

  /// A value that each step brings: ids i32[T], positions i32[T,P], rows i32[R],
  /// hidden f32[T,D], ...
  Tensor input(std::string_view name, Element element, const Dims& shape) const {
    Attributes attributes;
    attributes.add("name", name).add("dtype", element_name(element)).add("shape", shape);
    return one("vernal.input/1", name, {}, attributes);
  }
  /// Makes `x` an output of the function.
  ///   name   logits | hidden | embedding
  ///   rows   wanted: x is [R,...] | all: x is [T,...]
  void output(std::string_view name, Tensor x, std::string_view rows = "wanted") const {
    Attributes attributes;
    attributes.add("name", name).add("rows", rows);
    add_op("vernal.output/1", name, {x.operand}, attributes, 0);
  }

  // ---- level 0 ----------------------------------------------------------------------------------

  /// The rows of w[V,D] that ids i32[T] choose, times `scale` -> [T,D].
  Tensor embed(Tensor ids, const WeightRef& w, double scale = kEmbedScale,
               Element out = Element::kF32) const {
    Attributes attributes;
    attributes.add("scale", scale).add("out", element_name(out));
    return one("vernal.embed/1", w.label, {ids.operand, w.operand}, attributes);
  }
  /// x[T,D], with the rows index i32[X] replaced by the rows of external f32[X,D] -> [T,D].
  Tensor override_rows(Tensor x, Tensor external, Tensor index) const {
    return one("vernal.override_rows/1", "override_rows",
               {x.operand, external.operand, index.operand}, {});
  }
  /// x / sqrt(mean(x^2) + eps) * w over the last dimension. w[D] may be absent.
  Tensor rmsnorm(Tensor x, const WeightRef& w, double eps, Element out = Element::kAct) const {
    Attributes attributes;
    attributes.add("eps", eps).add("out", element_name(out));
    return one("vernal.rmsnorm/1", label_or(w, "rmsnorm"), {x.operand, w.operand}, attributes);
  }
  /// x[...,K] times the transpose of w[N,K], plus bias[N] -> [...,N]. The bias may be absent.
  Tensor linear(std::string_view name, Tensor x, const WeightRef& w, const WeightRef& bias = {},
                Element out = Element::kAct) const {
    Attributes attributes;
    attributes.add("out", element_name(out));
    return one("vernal.linear/1", name, {x.operand, w.operand, bias.operand}, attributes);
  }
  /// Rotates the first n_rot dimensions of each head of x[T,H,d] by angles that follow from
  /// positions i32[T,P] -> [T,H,d].
  Tensor rope(Tensor x, Tensor positions, const RopeOptions& options) const {
    const RopeScaling& scaling = options.scaling;
    Attributes attributes;
    attributes.add("n_rot", options.n_rot).add("style", options.style).add("base", options.base);
    attributes.add("scaling", scaling.kind).add("magnitude", scaling.magnitude);
    if (scaling.kind == "linear" || scaling.kind == "yarn" || scaling.kind == "banded") {
      attributes.add("factor", scaling.factor);
    }
    if (scaling.kind == "yarn" || scaling.kind == "banded") {
      attributes.add("original_context_length", scaling.original_context_length);
    }
    if (scaling.kind == "yarn") {
      attributes.add("beta_fast", scaling.beta_fast).add("beta_slow", scaling.beta_slow);
      attributes.add("extrapolation", scaling.extrapolation);
    }
    if (scaling.kind == "banded") {
      attributes.add("low_freq_factor", scaling.low_freq_factor);
      attributes.add("high_freq_factor", scaling.high_freq_factor);
    }
    attributes.add("mrope", options.mrope);
    if (options.mrope != "none") attributes.add("sections", options.sections.data(), 4);
    return one("vernal.rope/1", "rope", {x.operand, positions.operand, options.factors.operand},
               attributes);
  }
  /// Appends k[T,Hkv,dk] and v[T,Hkv,dv] to the state. Then each row of q[T,Hq,dk] attends to the
  /// positions of its own sequence -> [T,Hq*dv].
  Tensor attention(Tensor q, Tensor k, Tensor v, StateRef kv,
                   const AttentionOptions& options) const {
    Attributes attributes;
    attributes.add("scale", options.scale).add("causal", options.causal);
    attributes.add("softcap", options.softcap);
    return one("vernal.attention/1", "attention",
               {q.operand, k.operand, v.operand, kv.operand, options.sinks.operand}, attributes);
  }
  /// Element by element. The shorter shape is padded with ones on the left. Then each dimension is
  /// equal in both operands, or 1 in one of them.
  Tensor add(Tensor a, Tensor b) const {
    return one("vernal.add/1", "add", {a.operand, b.operand}, {});
  }
  Tensor mul(Tensor a, Tensor b) const {
    return one("vernal.mul/1", "mul", {a.operand, b.operand}, {});
  }
  Tensor add(Tensor a, const WeightRef& b) const {
    return one("vernal.add/1", label_or(b, "add"), {a.operand, b.operand}, {});
  }
  Tensor mul(Tensor a, const WeightRef& b) const {
    return one("vernal.mul/1", label_or(b, "mul"), {a.operand, b.operand}, {});
  }
  /// x * factor.
  Tensor scale(Tensor x, double factor) const {
    Attributes attributes;
    attributes.add("scale", factor);
    return one("vernal.scale/1", "scale", {x.operand}, attributes);
  }
  /// An activation, element by element.
  ///   kind   silu | gelu_tanh | gelu_erf | relu | relu2 | sigmoid | softplus | tanh | exp
  Tensor act(Tensor x, std::string_view kind) const {
    Attributes attributes;
    attributes.add("kind", kind);
    return one("vernal.act/1", kind, {x.operand}, attributes);
  }
  /// activation(gate) * up, element by element. Both have the same shape.
  Tensor glu(Tensor gate, Tensor up, const GluOptions& options = {}) const {
    return one("vernal.glu/1", "glu", {gate.operand, up.operand}, glu_attributes(options));
  }
  /// c * tanh(x / c).
  Tensor softcap(Tensor x, double c) const {
    Attributes attributes;
    attributes.add("c", c);
    return one("vernal.softcap/1", "softcap", {x.operand}, attributes);
  }
  /// The same elements in another shape. A dimension known only at a step stays first.
  Tensor reshape(Tensor x, const Dims& shape) const {
    Attributes attributes;
    attributes.add("shape", shape);
    return one("vernal.reshape/1", "reshape", {x.operand}, attributes);
  }
  /// The elements [start, start + length) of dimension `axis`.
  Tensor slice(Tensor x, std::int64_t axis, std::int64_t start, std::int64_t length) const {
    Attributes attributes;
    attributes.add("axis", axis).add("start", start).add("length", length);
    return one("vernal.slice/1", "slice", {x.operand}, attributes);
  }
  /// Consecutive parts of dimension `axis`. The sizes add up to the dimension.
  std::vector<Tensor> split(Tensor x, std::int64_t axis, const Dims& sizes) const {
    Attributes attributes;
    attributes.add("axis", axis).add("sizes", sizes);
    return add_op("vernal.split/1", "split", {x.operand}, attributes, sizes.size());
  }
  /// The parts one after another in dimension `axis`. The other dimensions are equal.
  Tensor concat(const std::vector<Tensor>& parts, std::int64_t axis) const {
    std::vector<vernal_operand> operands;
    operands.reserve(parts.size());
    for (const Tensor& part : parts) operands.push_back(part.operand);
    Attributes attributes;
    attributes.add("axis", axis);
    return one("vernal.concat/1", "concat", operands, attributes);
  }
  /// The rows i32[R] of x[T,D] -> [R,D]. Use it before the output head.
  Tensor select_rows(Tensor x, Tensor rows) const {
    return one("vernal.select_rows/1", "select_rows", {x.operand, rows.operand}, {});
  }

  // ---- level 1: hybrids -------------------------------------------------------------------------

  /// x / sqrt(sum(x^2) + eps) over the last dimension.
  Tensor l2norm(Tensor x, double eps, Element out = Element::kAct) const {
    Attributes attributes;
    attributes.add("eps", eps).add("out", element_name(out));
    return one("vernal.l2norm/1", "l2norm", {x.operand}, attributes);
  }
  /// Causal convolution of each channel of x[T,C] with w[C,Kw], plus bias[C] -> [T,C]. The bias may
  /// be absent.
  ///   activation   none | silu
  Tensor conv1d_state(Tensor x, const WeightRef& w, const WeightRef& bias, StateRef conv,
                      std::string_view activation = kConvActivation) const {
    Attributes attributes;
    attributes.add("activation", activation);
    return one("vernal.conv1d_state/1", label_or(w, "conv1d_state"),
               {x.operand, w.operand, bias.operand, conv.operand}, attributes);
  }
  /// Inputs of gated_delta_rule.
  struct DeltaRuleInputs {
    Tensor q, k;  // [T,Hk,dk]
    Tensor v;     // [T,Hv,dv]
    Tensor g;     // f32[T,Hv] or f32[T,Hv,dk]: logarithm of the decay
    Tensor beta;  // f32[T,Hv]
  };
  /// One step of linear attention for each token, through the recurrent state -> [T,Hv,dv].
  Tensor gated_delta_rule(const DeltaRuleInputs& in, StateRef recurrent,
                          const DeltaRuleOptions& options) const {
    Attributes attributes;
    attributes.add("scale", options.scale).add("qk_l2norm", options.qk_l2norm);
    attributes.add("eps", options.eps).add("head_map", options.head_map);
    return one("vernal.gated_delta_rule/1", "gated_delta_rule",
               {in.q.operand, in.k.operand, in.v.operand, in.g.operand, in.beta.operand,
                recurrent.operand},
               attributes);
  }

  // ---- level 2: mixture of experts --------------------------------------------------------------

  /// Chooses k experts for each token from the router's scores r f32[T,E]. bias[E], which may be
  /// absent, changes which experts are chosen but not their weights.
  Route moe_route(Tensor r, const WeightRef& bias, const RouteOptions& options) const {
    Attributes attributes;
    attributes.add("k", options.k).add("score", options.score).add("when", options.when);
    attributes.add("renorm", options.renorm).add("scale", options.scale);
    attributes.add("n_group", options.n_group).add("topk_group", options.topk_group);
    const auto outputs =
        add_op("vernal.moe_route/1", "moe_route", {r.operand, bias.operand}, attributes, 2);
    return {outputs[0], outputs[1]};
  }
  /// The weighted sum of what the chosen experts' gated feed-forward makes of x[T,D] -> [T,D].
  ///   weight_on   out: weights multiply an expert's output | in: its input
  Tensor moe_glu(Tensor x, const Route& route, const ExpertWeights& experts,
                 const GluOptions& options = {},
                 std::string_view weight_on = kExpertsWeightOn) const {
    Attributes attributes = glu_attributes(options);
    attributes.add("weight_on", weight_on);
    return one("vernal.moe_glu/1", "moe_glu",
               {x.operand, route.ids.operand, route.weights.operand, experts.gate.operand,
                experts.up.operand, experts.down.operand, experts.gate_bias.operand,
                experts.up_bias.operand, experts.down_bias.operand},
               attributes);
  }

  // ---- any operation ----------------------------------------------------------------------------

  /// Adds an operation by its id and returns its results. Operands of kind NONE at the end are
  /// dropped.
  std::vector<Tensor> add_op(std::string_view op, std::string_view name,
                             std::vector<vernal_operand> operands, const Attributes& attributes,
                             std::uint64_t num_outputs) const {
    while (!operands.empty() && operands.back().kind == VERNAL_OPERAND_NONE) operands.pop_back();
    std::vector<vernal_operand> outputs(num_outputs, vernal_operand{VERNAL_OPERAND_NONE, 0});
    check(api_.add_op(builder_, to_str(op), to_str(name), operands.data(), operands.size(),
                      attributes.data(), attributes.size(), sizeof(vernal_attr), outputs.data(),
                      outputs.size()),
          op);
    std::vector<Tensor> tensors;
    tensors.reserve(outputs.size());
    for (const vernal_operand& output : outputs) tensors.push_back({output});
    return tensors;
  }

 private:
  friend class Scope;

  static void check(std::int32_t status, std::string_view what) {
    if (status == VERNAL_OK) return;
    throw Error(status,
                "module builder: " + std::string(what) + ": " + std::string(status_name(status)));
  }

  /// "attn_norm" for "blk.3.attn_norm.weight".
  static std::string label_of(std::string_view weight) {
    if (weight.ends_with(".weight")) weight.remove_suffix(7);
    return std::string(weight.substr(weight.rfind('.') + 1));
  }
  static std::string_view label_or(const WeightRef& weight, std::string_view fallback) {
    return weight.exists() ? std::string_view(weight.label) : fallback;
  }

  static vernal_state_desc state_desc(std::uint32_t kind, std::string_view name,
                                      std::int64_t layer) {
    vernal_state_desc desc{};
    desc.struct_size = sizeof(desc);
    desc.name = to_str(name);
    desc.layer = layer;
    desc.kind = kind;
    return desc;
  }
  StateRef declare(const vernal_state_desc& desc) const {
    StateRef out;
    check(api_.state(builder_, &desc, &out.operand), view(desc.name));
    return out;
  }

  static Attributes glu_attributes(const GluOptions& options) {
    Attributes attributes;
    attributes.add("kind", options.kind);
    if (options.kind == "swiglu_oai") {
      attributes.add("alpha", options.alpha).add("limit", options.limit);
    }
    return attributes;
  }

  Tensor one(std::string_view op, std::string_view name,
             const std::vector<vernal_operand>& operands, const Attributes& attributes) const {
    return add_op(op, name, operands, attributes, 1)[0];
  }

  vernal_builder* builder_;
  vernal_builder_api api_;
};

inline Scope::Scope(const Builder& builder, std::string name)
    : builder_(builder), name_(std::move(name)) {
  Builder::check(builder_.api_.push_scope(builder_.builder_, to_str(name_)), name_);
}
inline Scope::~Scope() { builder_.api_.pop_scope(builder_.builder_); }

}  // namespace vernal
