#include "openai_http/protocol/generation_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "openai_http/protocol/sampling_fields.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr double kMaxChoices = 8;
constexpr std::size_t kMaxStops = 16;
constexpr std::int64_t kLargestBudget = 1LL << 31;
constexpr double kNoBudget = -1e9;  // far from every budget, and from the ends of 64 bits

/// The number, cut to the largest budget, or nullopt if it is not a whole number.
std::optional<std::int64_t> whole_number(const json::value& value) {
  if (const auto* const small = value.if_int64()) return std::min(*small, kLargestBudget);
  if (value.is_uint64()) return kLargestBudget;
  const auto* const number = value.if_double();
  if (number == nullptr || std::trunc(*number) != *number) return std::nullopt;
  if (*number >= static_cast<double>(kLargestBudget)) return kLargestBudget;
  return *number < kNoBudget ? std::nullopt : std::optional(static_cast<std::int64_t>(*number));
}

}  // namespace

void read_seed(const JsonFields& fields, json::object& document) {
  const json::value* const seed = fields.find("seed");
  if (seed == nullptr) return;
  if (const auto* const large = seed->if_uint64()) {
    document["seed"] = *large;
    return;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto value = fields.integer("seed", {-kInfinity, kInfinity});
  document["seed"] = static_cast<std::uint64_t>(*value);
}

void read_stops(const JsonFields& fields, std::string_view key, json::object& document) {
  const json::value* const stop = fields.find(key);
  if (stop == nullptr) return;
  json::array stops;
  if (stop->is_string()) {
    stops.push_back(*stop);
  } else if (stop->is_array() && stop->get_array().size() <= kMaxStops) {
    stops = stop->get_array();
  } else {
    fields.refuse(key, fmt::format("a string or an array of at most {} strings", kMaxStops));
  }
  json::array kept;
  for (json::value& text : stops) {
    if (!text.is_string()) fields.refuse(key, "a string or an array of strings");
    if (!text.get_string().empty()) kept.push_back(std::move(text));
  }
  if (!kept.empty()) document["stop"] = std::move(kept);
}

void read_sampling(const JsonFields& fields, json::object& document) {
  read_sampling_settings(fields, document);
  read_token_rules(fields, document);
  read_seed(fields, document);
  read_stops(fields, "stop", document);
  const auto n = fields.integer("n", {1, kMaxChoices});
  if (n && *n > 1) document["n"] = *n;
}

void read_delivery(const JsonFields& fields, GenerationRequest& request) {
  request.model = fields.string("model").value_or("");
  request.num_choices =
      static_cast<std::uint32_t>(fields.integer("n", {1, kMaxChoices}).value_or(1));
  request.is_streamed = fields.boolean("stream").value_or(false);
  if (const json::object* const options = fields.object("stream_options")) {
    const JsonFields option_fields(*options, "stream_options.");
    request.include_usage = option_fields.boolean("include_usage").value_or(false);
  }
  request.timings_per_token = fields.boolean("timings_per_token").value_or(false);
  request.reports_progress = fields.boolean("return_progress").value_or(false);
}

bool read_output_budget(const JsonFields& fields, std::string_view key, json::object& document) {
  constexpr std::int64_t kNoLimit = -1;
  const json::value* const value = fields.find(key);
  if (value == nullptr) return false;
  const std::optional<std::int64_t> budget = whole_number(*value);
  if (!budget || (*budget < 1 && *budget != kNoLimit)) {
    throw RequestRefused(invalid_value(
        fields.path_of(key), fmt::format("Invalid value for the output budget: expected an integer "
                                         "of at least 1, or -1 for no limit, found {}.",
                                         describe(*value))));
  }
  if (*budget != kNoLimit) document["max_tokens"] = *budget;
  return true;
}

}  // namespace vernal::openai_http
