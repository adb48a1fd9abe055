#include "rope_config.hpp"

#include <cmath>

namespace vernal::architectures {
namespace {

constexpr FloatRange kFactor{1e-6, 1e6};
constexpr IntRange kOriginalContext{1, std::int64_t{1} << 40};

/// The factor of a scaling, from the key or from its older name. `none` if the file has neither.
double read_factor(const Metadata& metadata, const DecoderConfig& c, double none) {
  for (const char* name : {"rope.scaling.factor", "rope.scale_linear"}) {
    // 0 means that nothing is scaled; converters write it.
    const double factor = metadata.find_float(c.key(name), {0, kFactor.maximum}).value_or(0);
    if (factor != 0) return factor;
  }
  return none;
}

void read_yarn(const Metadata& metadata, const DecoderConfig& c, RopeScaling& scaling) {
  const auto number = [&](const char* name, double fallback, FloatRange range) {
    return metadata.find_float(c.key(name), range).value_or(fallback);
  };
  scaling.extrapolation = number("rope.scaling.yarn_ext_factor", 1, {0, 1});
  scaling.beta_fast = number("rope.scaling.yarn_beta_fast", 32, {1e-3, 1e6});
  scaling.beta_slow = number("rope.scaling.yarn_beta_slow", 1, {1e-3, 1e6});
  const double magnitude = number("rope.scaling.yarn_attn_factor", 1, kFactor);
  // The published rule: attention over a longer context is sharpened by this factor.
  const double sharpening = scaling.factor > 1 ? 1 + 0.1 * std::log(scaling.factor) : 1;
  scaling.magnitude *= magnitude * sharpening;
}

RopeScaling read_scaling(const Metadata& metadata, const DecoderConfig& c) {
  RopeScaling scaling;
  const std::string key = c.key("rope.scaling.type");
  // A file with a factor but without a type means linear scaling.
  const std::string kind = metadata.find_string(key).value_or("linear");
  scaling.magnitude = metadata.find_float(c.key("rope.scaling.attn_factor"), kFactor).value_or(1);
  scaling.factor = read_factor(metadata, c, 1);
  scaling.original_context_length =
      metadata.find_int(c.key("rope.scaling.original_context_length"), kOriginalContext)
          .value_or(c.context_length);
  if (kind == "none" || (kind == "linear" && scaling.factor == 1)) {
    scaling.kind = "none";
  } else if (kind == "linear") {
    scaling.kind = "linear";
  } else if (kind == "yarn") {
    scaling.kind = "yarn";
    read_yarn(metadata, c, scaling);
  } else if (kind == "llama3") {
    scaling.kind = "banded";
    scaling.low_freq_factor =
        metadata.find_float(c.key("rope.scaling.low_freq_factor"), kFactor).value_or(1);
    scaling.high_freq_factor =
        metadata.find_float(c.key("rope.scaling.high_freq_factor"), kFactor).value_or(4);
  } else if (kind == "longrope") {
    scaling.kind = "longrope";
  } else {
    throw Error(VERNAL_UNSUPPORTED,
                "metadata key \"" + key +
                    "\": expected none, linear, yarn, llama3 or longrope, found \"" + kind + "\"");
  }
  return scaling;
}

}  // namespace

RopeOptions read_rope(const Metadata& metadata, const DecoderConfig& c, std::string_view style,
                      double default_base) {
  RopeOptions rope;
  const std::string key = c.key("rope.dimension_count");
  rope.n_rot = metadata.find_int(key, {2, c.key_size}).value_or(c.key_size);
  if (rope.n_rot % 2 != 0) {
    refuse_key(key, "expected an even number, found " + std::to_string(rope.n_rot));
  }
  rope.style = style;
  rope.base = metadata.find_float(c.key("rope.freq_base"), {2, 1e15}).value_or(default_base);
  rope.scaling = read_scaling(metadata, c);
  return rope;
}

WeightRef read_rope_factors(const Metadata& metadata, const DecoderConfig& c,
                            const RopeOptions& rope, std::int64_t context_length,
                            const Builder& builder) {
  const bool is_long = context_length > rope.scaling.original_context_length;
  for (const char* name :
       {is_long ? "rope_factors_long.weight" : "rope_factors_short.weight", "rope_freqs.weight"}) {
    if (metadata.has_tensor(name)) return builder.weight(name, {rope.n_rot / 2});
  }
  if (rope.scaling.kind == "longrope") {
    refuse_key(c.key("rope.scaling.type"), "longrope, but the file has no rope factors");
  }
  return {};
}

}  // namespace vernal::architectures
