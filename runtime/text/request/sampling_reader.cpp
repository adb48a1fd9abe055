#include "text/request/sampling_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <limits>

#include "text/exact_json.hpp"
#include "text/request/request_error.hpp"
#include "text/request/sampling_bounds.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBiasTextBytes = 1024;
constexpr std::string_view kBiases = "sampling.logit_bias";

// A number, or false for "never".
float read_bias(const std::string& path, const json::value& value) {
  if (value.is_bool() && !value.get_bool()) return -std::numeric_limits<float>::infinity();
  const double number = number_of(value).value_or(1e9);
  if (!(number >= kLogitBiasBounds.least && number <= kLogitBiasBounds.most)) {
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': expected a number from {} to {}, found {}.",
                          path, kLogitBiasBounds.least, kLogitBiasBounds.most, describe(value)));
  }
  return static_cast<float>(number);
}

void add_member(std::string_view key, const json::value& value, SamplingOptions& out) {
  LogitBias bias;
  const char* end = key.data() + key.size();
  const auto [parsed_to, error] = std::from_chars(key.data(), end, bias.token);
  if (error != std::errc() || parsed_to != end || bias.token < 0) {
    throw invalid_value(std::string(kBiases),
                        fmt::format("Invalid value for '{}': a key is not a token id.", kBiases));
  }
  bias.bias = read_bias(fmt::format("{}.{}", kBiases, bias.token), value);
  out.logit_bias.push_back(bias);
}

// [token id or text, bias]
void add_pair(std::size_t index, const json::value& value, SamplingOptions& out,
              std::vector<TextBias>& text_biases) {
  const std::string path = fmt::format("{}[{}]", kBiases, index);
  const json::array* pair = value.if_array();
  const auto refuse = [&] {
    return invalid_value(
        path, fmt::format("Invalid value for '{}': expected a token id or a text, and a bias, "
                          "found {}.",
                          path, describe(value)));
  };
  if (pair == nullptr || pair->size() != 2) throw refuse();
  const float bias = read_bias(path, (*pair)[1]);
  const json::value& target = (*pair)[0];
  if (target.is_string() && !is_written_number(target)) {
    text_biases.push_back({read_string(target, path, kMaxBiasTextBytes), bias});
    return;
  }
  const double id = number_of(target).value_or(-1.0);
  const auto token = static_cast<TokenId>(std::clamp(id, -1.0, kMostCount));
  if (token < 0 || static_cast<double>(token) != id) throw refuse();
  out.logit_bias.push_back({token, bias});
}

void read_logit_bias(ObjectReader& reader, SamplingOptions& out,
                     std::vector<TextBias>& text_biases) {
  const json::value* biases = reader.find("logit_bias");
  if (biases == nullptr) return;
  const json::array* pairs = biases->if_array();
  const std::size_t count =
      pairs != nullptr ? pairs->size() : reader.find_object("logit_bias")->size();
  if (count > kMaxLogitBiases) {
    throw invalid_value(std::string(kBiases),
                        fmt::format("Invalid value for '{}': {} entries; at most {} are accepted.",
                                    kBiases, count, kMaxLogitBiases));
  }
  out.logit_bias.clear();
  if (pairs == nullptr) {
    for (const auto& member : biases->get_object()) {
      add_member({member.key().data(), member.key().size()}, member.value(), out);
    }
    return;
  }
  for (std::size_t i = 0; i < pairs->size(); ++i) add_pair(i, (*pairs)[i], out, text_biases);
}

std::vector<std::string> read_texts(const json::array& array, const std::string& path,
                                    std::size_t most, std::size_t max_bytes) {
  if (array.size() > most) {
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': {} strings; at most {} are accepted.", path,
                          array.size(), most));
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < array.size(); ++i) {
    texts.push_back(read_string(array[i], fmt::format("{}[{}]", path, i), max_bytes));
  }
  return texts;
}

void read_breakers(ObjectReader& reader, SamplingOptions& out) {
  const json::array* array = reader.find_array("dry_sequence_breakers");
  if (array == nullptr) return;
  out.dry_sequence_breakers = read_texts(*array, reader.path_of("dry_sequence_breakers"),
                                         kMaxSequenceBreakers, kMaxBreakerBytes);
  std::erase(out.dry_sequence_breakers, std::string());
}

void read_order(ObjectReader& reader, SamplingOptions& out) {
  const json::array* array = reader.find_array("samplers");
  if (array == nullptr) return;
  const std::string path = reader.path_of("samplers");
  out.samplers.clear();
  out.has_own_order = true;
  for (const std::string& name : read_texts(*array, path, kMaxSamplers, kMaxBreakerBytes)) {
    const auto stage = find_sampler(name);
    if (!stage ||
        std::find(out.samplers.begin(), out.samplers.end(), *stage) != out.samplers.end()) {
      throw invalid_value(
          path, fmt::format("Invalid value for '{}': expected each name at most once, of {}.", path,
                            sampler_names()));
    }
    out.samplers.push_back(*stage);
  }
}

}  // namespace

void read_sampling(ObjectReader& reader, SamplingOptions& out, std::vector<TextBias>& text_biases) {
  const json::value* value = reader.find("sampling");
  if (value == nullptr) return;
  ObjectReader sampling(*value, "sampling");
  for (const SamplingNumber& setting : kSamplingNumbers) {
    const auto number =
        sampling.find_number(setting.name, setting.bounds.least, setting.bounds.most);
    if (number) out.*setting.member = *number;
  }
  for (const SamplingCount& setting : kSamplingCounts) {
    const auto count =
        sampling.find_integer(setting.name, static_cast<std::int64_t>(setting.bounds.least),
                              static_cast<std::int64_t>(setting.bounds.most));
    if (count) out.*setting.member = static_cast<std::int32_t>(*count);
  }
  read_breakers(sampling, out);
  read_order(sampling, out);
  read_logit_bias(sampling, out, text_biases);
  sampling.refuse_unknown_keys();
}

}  // namespace vernal
