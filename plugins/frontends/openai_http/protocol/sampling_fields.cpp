#include "openai_http/protocol/sampling_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/exact_json.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

// Which values the settings may have is the engine's to say. Here they only have to be numbers.
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Range kAnyNumber{-kInfinity, kInfinity};

/// A client's name of a setting, and the engine's.
struct Name {
  std::string_view client;
  std::string_view engine;
};

// Of two names of one setting the later counts.
constexpr std::array kNumbers = {
    Name{"temperature", "temperature"},
    Name{"dynatemp_range", "dynatemp_range"},
    Name{"dynatemp_exponent", "dynatemp_exponent"},
    Name{"top_p", "top_p"},
    Name{"min_p", "min_p"},
    Name{"typ_p", "typical_p"},
    Name{"typical_p", "typical_p"},
    Name{"top_n_sigma", "top_n_sigma"},
    Name{"xtc_probability", "xtc_probability"},
    Name{"xtc_threshold", "xtc_threshold"},
    Name{"repeat_penalty", "repetition_penalty"},
    Name{"repetition_penalty", "repetition_penalty"},
    Name{"presence_penalty", "presence_penalty"},
    Name{"frequency_penalty", "frequency_penalty"},
    Name{"dry_multiplier", "dry_multiplier"},
    Name{"dry_base", "dry_base"},
    Name{"mirostat_tau", "mirostat_tau"},
    Name{"mirostat_eta", "mirostat_eta"},
};

constexpr std::array kIntegers = {
    Name{"top_k", "top_k"},
    Name{"min_keep", "min_keep"},
    Name{"repeat_last_n", "penalty_last_n"},
    Name{"penalty_last_n", "penalty_last_n"},
    Name{"dry_allowed_length", "dry_allowed_length"},
    Name{"dry_penalty_last_n", "dry_penalty_last_n"},
    Name{"mirostat_mode", "mirostat"},
    Name{"mirostat", "mirostat"},
};

/// Other names of the chain's steps, as llama-server takes them.
constexpr std::array kStepNames = {
    Name{"typ_p", "typical_p"},   Name{"typical-p", "typical_p"},     Name{"typ-p", "typical_p"},
    Name{"typical", "typical_p"}, Name{"typ", "typical_p"},           Name{"top-k", "top_k"},
    Name{"top-p", "top_p"},       Name{"nucleus", "top_p"},           Name{"min-p", "min_p"},
    Name{"temp", "temperature"},  Name{"top-n-sigma", "top_n_sigma"},
};

/// The steps as letters, in llama-server's form "edskypmxt".
constexpr std::array<std::pair<char, std::string_view>, 9> kStepLetters = {{{'e', "penalties"},
                                                                            {'d', "dry"},
                                                                            {'s', "top_n_sigma"},
                                                                            {'k', "top_k"},
                                                                            {'y', "typical_p"},
                                                                            {'p', "top_p"},
                                                                            {'m', "min_p"},
                                                                            {'x', "xtc"},
                                                                            {'t', "temperature"}}};

json::string_view key_of(std::string_view name) { return {name.data(), name.size()}; }

std::string_view step_name(std::string_view sent) {
  const auto found = std::find_if(kStepNames.begin(), kStepNames.end(),
                                  [&](const Name& name) { return name.client == sent; });
  return found == kStepNames.end() ? sent : found->engine;
}

void read_samplers(const JsonFields& fields, json::object& sampling) {
  constexpr std::string_view kExpected = "an array of names, or a string of letters from edskypmxt";
  const json::value* const value = fields.find("samplers");
  if (value == nullptr) return;
  json::array names;
  if (const auto* const letters = value->if_string()) {
    for (const char letter : text_of(*letters)) {
      const auto found = std::find_if(kStepLetters.begin(), kStepLetters.end(),
                                      [&](const auto& step) { return step.first == letter; });
      if (found == kStepLetters.end()) fields.refuse("samplers", kExpected);
      names.push_back(json::string(key_of(found->second)));
    }
  } else if (const auto* const list = value->if_array()) {
    for (const json::value& name : *list) {
      if (!name.is_string()) fields.refuse("samplers", kExpected);
      names.push_back(json::string(key_of(step_name(text_of(name.get_string())))));
    }
  } else {
    fields.refuse("samplers", kExpected);
  }
  sampling["samplers"] = std::move(names);
}

/// A list of strings; nothing for an empty one.
json::array read_strings(const JsonFields& fields, std::string_view key) {
  json::array out;
  const json::array* const list = fields.array(key);
  if (list == nullptr) return out;
  for (const json::value& text : *list) {
    if (!text.is_string()) fields.refuse(key, "an array of strings");
    if (!text.get_string().empty()) out.push_back(text);
  }
  return out;
}

// ---- logit_bias ---------------------------------------------------------------------------------

/// A number, or false for "never".
json::value read_bias(const JsonFields& fields, std::string_view key, const json::value& value) {
  if (value.is_bool() && !value.get_bool()) return false;
  if (!value.is_number()) fields.refuse(key, "a number or false for each bias");
  return value.to_number<double>();
}

bool is_like_a_number(std::string_view key) {
  const std::string_view digits = key.starts_with('-') ? key.substr(1) : key;
  return !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_id(const JsonFields& members, std::string_view key) {
  std::int32_t token = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
  if (error == std::errc() && end == key.data() + key.size() && token >= 0) return;
  const std::string path = members.path_of(shortened(key));
  throw RequestRefused(invalid_value(
      path, fmt::format("Invalid value for '{}': expected a token id or a text for a key of "
                        "logit_bias.",
                        path)));
}

/// {"token id or text": bias}. The engine takes ids in this form, and texts in pairs.
json::value bias_members(const JsonFields& fields, const json::object& biases) {
  const JsonFields members(biases, fields.path_of("logit_bias."));
  json::object ids;
  json::array pairs;
  for (const auto& member : biases) {
    const std::string_view key(member.key().data(), member.key().size());
    if (member.value().is_null()) continue;
    const json::value bias = read_bias(members, key, member.value());
    if (is_like_a_number(key)) {
      check_id(members, key);
      ids[member.key()] = bias;
      pairs.push_back(json::array{std::stoi(std::string(key)), bias});
    } else {
      pairs.push_back(json::array{json::string(member.key()), bias});
    }
  }
  return pairs.size() == ids.size() ? json::value(std::move(ids)) : json::value(std::move(pairs));
}

/// [[token id or text, bias], ...]
json::value bias_pairs(const JsonFields& fields, const json::array& biases) {
  json::array pairs;
  for (const json::value& element : biases) {
    const auto* const pair = element.if_array();
    const bool is_pair =
        pair != nullptr && pair->size() == 2 && ((*pair)[0].is_string() || (*pair)[0].is_number());
    if (!is_pair) fields.refuse("logit_bias", "an array of [token id or text, bias]");
    pairs.push_back(json::array{(*pair)[0], read_bias(fields, "logit_bias", (*pair)[1])});
  }
  return pairs;
}

void read_logit_bias(const JsonFields& fields, json::object& sampling) {
  const json::value* const biases = fields.find("logit_bias");
  if (biases == nullptr) return;
  if (const auto* const pairs = biases->if_array()) {
    if (!pairs->empty()) sampling["logit_bias"] = bias_pairs(fields, *pairs);
    return;
  }
  const json::object* const members = fields.object("logit_bias");
  if (!members->empty()) sampling["logit_bias"] = bias_members(fields, *members);
}

}  // namespace

void read_sampling_settings(const JsonFields& fields, json::object& document) {
  json::object sampling;
  for (const auto& [client, engine] : kNumbers) {
    if (const auto value = fields.number(client, kAnyNumber)) sampling[key_of(engine)] = *value;
  }
  for (const auto& [client, engine] : kIntegers) {
    const auto value = fields.integer(client, kAnyNumber);
    if (!value) continue;
    const bool is_all = client == "top_k" && *value == -1;  // clients write both 0 and -1 for it
    sampling[key_of(engine)] = is_all ? 0 : *value;
  }
  if (const json::value* const breakers = fields.find("dry_sequence_breakers")) {
    if (!breakers->is_array()) fields.refuse("dry_sequence_breakers", "an array of strings");
    sampling["dry_sequence_breakers"] = read_strings(fields, "dry_sequence_breakers");
  }
  read_samplers(fields, sampling);
  read_logit_bias(fields, sampling);
  if (!sampling.empty()) document["sampling"] = std::move(sampling);
}

void read_token_rules(const JsonFields& fields, json::object& document) {
  if (const auto count = fields.integer("min_tokens", kAnyNumber)) document["min_tokens"] = *count;
  if (fields.boolean("ignore_eos").value_or(false)) document["ignore_eos"] = true;
  for (const std::string_view key : {"bad_words", "banned_strings"}) {
    json::array texts = read_strings(fields, key);
    if (!texts.empty()) document[key_of(key)] = std::move(texts);
  }
}

}  // namespace vernal::openai_http
