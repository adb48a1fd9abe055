// Handles and options of the module builder (builder.hpp). sdk/spec/operations.md specifies what
// each operation computes and what its attributes mean. The names here are the names there.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vernal/abi/module.h"
#include "vernal/error.hpp"

namespace vernal {

/// Dimensions known only at a step.
inline constexpr std::int64_t kTokens = VERNAL_DIM_TOKENS;
inline constexpr std::int64_t kSequences = VERNAL_DIM_SEQUENCES;
inline constexpr std::int64_t kRows = VERNAL_DIM_ROWS;
inline constexpr std::int64_t kExternal = VERNAL_DIM_EXTERNAL;

/// Row-major dimensions, dims[0] slowest. At most VERNAL_MAX_RANK of them.
using Dims = std::vector<std::int64_t>;

/// Element kind of a value.
///   kAct   f32, f16 or bf16: the backend chooses one for the whole program
///   kF32   at least f32
enum class Element : std::uint32_t {
  kAct = VERNAL_ELEMENT_ACT,
  kF32 = VERNAL_ELEMENT_F32,
  kI32 = VERNAL_ELEMENT_I32,
};

/// The value of an attribute `dtype` or `out`: "act", "f32" or "i32".
inline std::string_view element_name(Element element) noexcept {
  switch (element) {
    case Element::kAct:
      return "act";
    case Element::kF32:
      return "f32";
    case Element::kI32:
      return "i32";
  }
  return "unknown";
}

/// A value that an operation made. It is valid in the function it was made in.
struct Tensor {
  vernal_operand operand{VERNAL_OPERAND_NONE, 0};
  bool exists() const noexcept { return operand.kind != VERNAL_OPERAND_NONE; }
};

/// A declared weight, or none, as for a bias that the file does not have.
struct WeightRef {
  vernal_operand operand{VERNAL_OPERAND_NONE, 0};
  std::string label;  // names the node that uses it: "attn_norm" for "blk.3.attn_norm.weight"
  bool exists() const noexcept { return operand.kind != VERNAL_OPERAND_NONE; }
};

/// A declared state of the current function.
struct StateRef {
  vernal_operand operand{VERNAL_OPERAND_NONE, 0};
};

/// Keys and values of the past positions of one layer.
struct KvState {
  std::string_view name;  // "blk.3.kv"
  std::int64_t layer = 0;
  std::int64_t num_heads = 0;  // key/value heads
  std::int64_t key_size = 0;
  std::int64_t value_size = 0;
  std::int64_t window = 0;  // query i sees key j iff 0 <= i - j < window; 0: no window
};

/// The matrix memory of one linear-attention layer: [num_heads, key_size, value_size].
struct RecurrentState {
  std::string_view name;
  std::int64_t layer = 0;
  std::int64_t num_heads = 0;  // value heads
  std::int64_t key_size = 0;
  std::int64_t value_size = 0;
};

/// The newest width - 1 inputs of a causal convolution: [width - 1, channels].
struct ConvState {
  std::string_view name;
  std::int64_t layer = 0;
  std::int64_t channels = 0;
  std::int64_t width = 0;  // taps of the convolution
};

// Defaults of options that stand alone in a call of the builder.
inline constexpr double kEmbedScale = 1;                     // Builder::embed
inline constexpr std::string_view kConvActivation = "none";  // Builder::conv1d_state
inline constexpr std::string_view kExpertsWeightOn = "out";  // Builder::moe_glu

/// How rotary angles are stretched beyond the context length that the model was trained with. The
/// formulas are those of vernal.rope/1.
struct RopeScaling {
  std::string_view kind = "none";  // none | linear | yarn | banded | longrope
  double factor = 1;
  std::int64_t original_context_length = 0;  // yarn, banded
  double beta_fast = 32;                     // yarn
  double beta_slow = 1;                      // yarn
  double extrapolation = 1;                  // yarn: 0 is linear scaling, 1 is full yarn
  double low_freq_factor = 1;                // banded
  double high_freq_factor = 4;               // banded
  double magnitude = 1;                      // all kinds: multiplies sine and cosine

  friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

/// Options of Builder::rope.
struct RopeOptions {
  std::int64_t n_rot = 0;           // even: rotates the first n_rot dimensions of a head
  std::string_view style = "neox";  // neox: pairs (i, i + n_rot/2); interleaved: (2i, 2i + 1)
  double base = 10000;
  RopeScaling scaling = {};
  std::string_view mrope = "none";         // none | chunked | interleaved
  std::array<std::int64_t, 4> sections{};  // with mrope: number of pairs of each position axis
  WeightRef factors = {};                  // [n_rot/2]: divide the frequencies of the pairs
};

/// Options of Builder::attention.
struct AttentionOptions {
  double scale = 1;  // multiplies q.k
  bool causal = true;
  double softcap = 0;    // 0: off
  WeightRef sinks = {};  // [Hq]: one more logit in the softmax of each head, without a value
};

/// Options of the gated linear units.
struct GluOptions {
  std::string_view kind = "swiglu";  // swiglu | geglu_tanh | geglu_erf | reglu | swiglu_oai
  double alpha = 1.702;              // swiglu_oai
  double limit = 7;                  // swiglu_oai
};

/// Options of Builder::gated_delta_rule.
struct DeltaRuleOptions {
  double scale = 1;        // multiplies q
  bool qk_l2norm = false;  // first normalise each head of q and k
  double eps = 1e-6;       // of that normalisation
  // Which key head a value head h reads. tiled: h mod Hk; grouped: h * Hk / Hv
  std::string_view head_map = "tiled";
};

/// Options of Builder::moe_route.
struct RouteOptions {
  std::int64_t k = 1;                  // experts used by a token
  std::string_view score = "softmax";  // softmax | sigmoid
  std::string_view when = "before";    // before | after: scores before or after the choice
  bool renorm = false;                 // divide the chosen weights by their sum
  double scale = 1;
  std::int64_t n_group = 1;
  std::int64_t topk_group = 1;
};

/// What Builder::moe_route returns.
struct Route {
  Tensor ids;      // i32[T, k]
  Tensor weights;  // f32[T, k]
};

/// The matrices of Builder::moe_glu; biases may be absent.
struct ExpertWeights {
  WeightRef gate, up, down;                                // [E, F, D], [E, F, D], [E, D, F]
  WeightRef gate_bias = {}, up_bias = {}, down_bias = {};  // [E, F], [E, F], [E, D]
};

/// The attributes of one node. Text and arrays are borrowed: they must outlive this list.
class Attributes {
 public:
  /// Adds an attribute. A bool is the integer 0 or 1.
  Attributes& add(std::string_view name, std::int64_t value) {
    next(name, VERNAL_ATTR_INT).integer = value;
    return *this;
  }
  Attributes& add(std::string_view name, bool value) { return add(name, std::int64_t{value}); }
  Attributes& add(std::string_view name, double value) {
    next(name, VERNAL_ATTR_FLOAT).number = value;
    return *this;
  }
  Attributes& add(std::string_view name, std::string_view value) {
    next(name, VERNAL_ATTR_STRING).text = to_str(value);
    return *this;
  }
  Attributes& add(std::string_view name, const char* value) {
    return add(name, std::string_view(value));
  }
  Attributes& add(std::string_view name, const std::int64_t* values, std::size_t count) {
    vernal_attr& attr = next(name, VERNAL_ATTR_INTS);
    attr.integers = values;
    attr.count = count;
    return *this;
  }
  Attributes& add(std::string_view name, const Dims& values) {
    return add(name, values.data(), values.size());
  }
  Attributes& add(std::string_view name, const double* values, std::size_t count) {
    vernal_attr& attr = next(name, VERNAL_ATTR_FLOATS);
    attr.numbers = values;
    attr.count = count;
    return *this;
  }

  const vernal_attr* data() const noexcept { return attrs_.data(); }
  std::uint64_t size() const noexcept { return attrs_.size(); }

 private:
  vernal_attr& next(std::string_view name, std::uint32_t type) {
    vernal_attr attr{};
    attr.struct_size = sizeof(vernal_attr);
    attr.name = to_str(name);
    attr.type = type;
    return attrs_.emplace_back(attr);
  }

  std::vector<vernal_attr> attrs_;
};

}  // namespace vernal
