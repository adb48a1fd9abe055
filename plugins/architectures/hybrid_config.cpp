#include "hybrid_config.hpp"

#include <algorithm>
#include <numeric>

#include "rope_config.hpp"

namespace vernal::architectures {
namespace {

constexpr IntRange kRecurrentHeads{1, 1 << 16};
constexpr IntRange kRecurrentHeadSize{1, 1 << 16};
constexpr IntRange kInner{1, 1 << 24};
constexpr IntRange kConvWidth{2, 64};
constexpr IntRange kInterval{1, 1024};

/// Every fourth layer has attention, unless the file says otherwise.
constexpr std::int64_t kDefaultInterval = 4;

DeltaNetConfig read_delta_net(const Metadata& metadata, const DecoderConfig& c) {
  DeltaNetConfig d;
  d.conv_width = metadata.require_int(c.key("ssm.conv_kernel"), kConvWidth);
  d.key_size = metadata.require_int(c.key("ssm.state_size"), kRecurrentHeadSize);
  d.key_heads = metadata.require_int(c.key("ssm.group_count"), kRecurrentHeads);
  const std::string heads_key = c.key("ssm.time_step_rank");
  d.value_heads = metadata.require_int(heads_key, kRecurrentHeads);
  if (d.value_heads % d.key_heads != 0) {
    refuse_key(heads_key, "expected a multiple of " + std::to_string(d.key_heads) +
                              " key heads, found " + std::to_string(d.value_heads));
  }
  const std::string inner_key = c.key("ssm.inner_size");
  const std::int64_t inner = metadata.require_int(inner_key, kInner);
  if (inner % d.value_heads != 0) {
    refuse_key(inner_key, "expected a multiple of " + std::to_string(d.value_heads) +
                              " value heads, found " + std::to_string(inner));
  }
  d.value_size = inner / d.value_heads;
  return d;
}

/// The number of layers after those of "main". Each of them predicts one more token.
std::int64_t read_prediction_layers(const Metadata& metadata, DecoderConfig& c) {
  const std::string key = c.key("nextn_predict_layers");
  const std::int64_t count = metadata.find_int(key, {0, 64}).value_or(0);
  if (count >= c.num_layers) {
    refuse_key(key, "expected less than " + std::to_string(c.num_layers) + " layers, found " +
                        std::to_string(count));
  }
  c.num_layers -= count;
  return count;
}

std::vector<bool> read_recurrent_layers(const Metadata& metadata, const HybridConfig& h) {
  const DecoderConfig& c = h.decoder;
  const auto num_layers = static_cast<std::size_t>(c.num_layers);
  std::vector<bool> is_recurrent(num_layers);
  const std::string key = c.key("attention.recurrent_layers");
  if (const auto stored = metadata.find_ints(key)) {
    const std::size_t all = num_layers + static_cast<std::size_t>(h.num_prediction_layers);
    if (stored->size() != num_layers && stored->size() != all) {
      refuse_key(key, "expected " + std::to_string(num_layers) + " elements, found " +
                          std::to_string(stored->size()));
    }
    for (std::size_t i = 0; i < num_layers; ++i) is_recurrent[i] = (*stored)[i] != 0;
    return is_recurrent;
  }
  const auto interval = static_cast<std::size_t>(
      metadata.find_int(c.key("full_attention_interval"), kInterval).value_or(kDefaultInterval));
  for (std::size_t i = 0; i < num_layers; ++i) is_recurrent[i] = (i + 1) % interval != 0;
  return is_recurrent;
}

/// Checks the sections of the rotation. Text has the same position on every axis, so the sections
/// change nothing. A file whose sections are missing or do not add up is refused.
void check_sections(const Metadata& metadata, const HybridConfig& h) {
  const std::string key = h.decoder.key("rope.dimension_sections");
  const auto sections = metadata.find_ints(key, 4);
  if (!sections) refuse_key(key, "the model file lacks this key");
  const bool fit = std::ranges::all_of(
      *sections, [&](std::int64_t s) { return s >= 0 && s <= h.rope.n_rot / 2; });
  const std::int64_t sum =
      fit ? std::accumulate(sections->begin(), sections->end(), std::int64_t{0}) : -1;
  if (sum != h.rope.n_rot / 2) {
    refuse_key(key, "expected sections that add up to " + std::to_string(h.rope.n_rot / 2));
  }
}

}  // namespace

HybridConfig read_hybrid_config(const Metadata& metadata, std::string_view prefix,
                                FeedForward feed_forward) {
  HybridConfig h;
  h.decoder = read_decoder_config(metadata, prefix, feed_forward);
  h.num_prediction_layers = read_prediction_layers(metadata, h.decoder);
  const DecoderConfig& c = h.decoder;
  if (c.key_size != c.value_size) {  // the gate has the size of a query, and multiplies a value
    refuse_key(c.key("attention.value_length"), "expected the key length " +
                                                    std::to_string(c.key_size) + ", found " +
                                                    std::to_string(c.value_size));
  }
  h.delta_net = read_delta_net(metadata, c);
  h.is_recurrent = read_recurrent_layers(metadata, h);
  h.rope = read_rope(metadata, c, "neox", 10000000);
  check_sections(metadata, h);
  return h;
}

std::string describe_hybrid(const HybridConfig& h) {
  const DeltaNetConfig& d = h.delta_net;
  const auto recurrent = std::ranges::count(h.is_recurrent, true);
  std::string text = describe_decoder(h.decoder);
  const auto line = [&](const char* name, std::int64_t value) {
    text += std::string(name) + " = " + std::to_string(value) + "\n";
  };
  line("recurrent_layers", recurrent);
  line("prediction_layers", h.num_prediction_layers);
  line("delta_net_key_heads", d.key_heads);
  line("delta_net_value_heads", d.value_heads);
  line("delta_net_key_size", d.key_size);
  line("delta_net_value_size", d.value_size);
  line("conv_width", d.conv_width);
  return text;
}

}  // namespace vernal::architectures
