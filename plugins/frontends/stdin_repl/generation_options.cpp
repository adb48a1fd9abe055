#include "stdin_repl/generation_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>

#include "stdin_repl/nearest_name.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;

enum class Kind { kNumber, kInteger, kWord };

// An option of a request document. The core checks ranges; the ranges here only save the user a
// request that would fail.
struct Option {
  std::string_view name;
  Kind kind;
  bool is_sampling;  // is a member of `sampling`, not of the document itself
  double least = 0;
  double most = 0;
};

constexpr double kAnyInteger = 9.2e18;

constexpr std::array kOptions = {
    Option{"temperature", Kind::kNumber, true, 0, 2},
    Option{"top_k", Kind::kInteger, true, 0, 2147483647},
    Option{"top_p", Kind::kNumber, true, 0, 1},
    Option{"min_p", Kind::kNumber, true, 0, 1},
    Option{"repetition_penalty", Kind::kNumber, true, 0.01, 100},
    Option{"presence_penalty", Kind::kNumber, true, -2, 2},
    Option{"frequency_penalty", Kind::kNumber, true, -2, 2},
    Option{"seed", Kind::kInteger, false, -kAnyInteger, kAnyInteger},
    Option{"max_tokens", Kind::kInteger, false, 1, kAnyInteger},
    Option{"thinking", Kind::kWord, false},
};

constexpr std::array<std::string_view, 10> kThinking = {
    "auto", "off", "on", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"};

constexpr std::string_view kDefault = "default";

const Option& find(std::string_view name) {
  const auto* const found = std::find_if(kOptions.begin(), kOptions.end(),
                                         [&](const Option& option) { return option.name == name; });
  if (found != kOptions.end()) return *found;
  const std::string_view nearest = nearest_name(name, GenerationOptions::names());
  throw Error(VERNAL_NOT_FOUND,
              nearest.empty()
                  ? fmt::format("there is no option \"{}\"; /set lists them", name)
                  : fmt::format("there is no option \"{}\"; did you mean \"{}\"?", name, nearest));
}

bool is_in_range(const Option& option, double value) {
  return value >= option.least && value <= option.most;
}

template <class Number>
bool parse(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// The value of an option that `text` names; null if it is none.
json::value read_value(const Option& option, std::string_view text) {
  if (option.kind == Kind::kWord) {
    const bool is_known = std::find(kThinking.begin(), kThinking.end(), text) != kThinking.end();
    return is_known ? json::value(json::string(text)) : json::value();
  }
  if (option.kind == Kind::kInteger) {
    std::int64_t integer = 0;
    if (!parse(text, integer) || !is_in_range(option, static_cast<double>(integer))) return {};
    return integer;
  }
  double number = 0;
  if (!parse(text, number) || !is_in_range(option, number)) return {};
  return number;
}

}  // namespace

std::vector<std::string_view> GenerationOptions::names() {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) names.push_back(option.name);
  return names;
}

std::string GenerationOptions::expectation(std::string_view name) {
  const Option& option = find(name);
  if (option.kind == Kind::kWord) return fmt::format("{}", fmt::join(kThinking, ", "));
  const std::string_view kind = option.kind == Kind::kInteger ? "a whole number" : "a number";
  if (option.most < kAnyInteger) {
    return fmt::format("{} from {} to {}", kind, option.least, option.most);
  }
  return option.least > -kAnyInteger ? fmt::format("{} from {}", kind, option.least)
                                     : std::string(kind);
}

void GenerationOptions::set(std::string_view name, std::string_view value) {
  const Option& option = find(name);
  if (value == kDefault) {
    values_.erase(option.name);
    return;
  }
  json::value parsed = read_value(option, value);
  if (parsed.is_null()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: expected {}, or default; found \"{}\"",
                                                     name, expectation(name), value));
  }
  values_[option.name] = std::move(parsed);
}

std::string GenerationOptions::value_of(std::string_view name) const {
  const json::value* value = values_.if_contains(find(name).name);
  if (value == nullptr) return std::string(kDefault);
  if (value->is_double()) return fmt::format("{}", value->get_double());
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

void GenerationOptions::add_to(json::object& document) const {
  json::object sampling;
  for (const auto& member : values_) {
    const bool is_sampling = find(member.key()).is_sampling;
    (is_sampling ? sampling : document)[member.key()] = member.value();
  }
  if (!sampling.empty()) document["sampling"] = std::move(sampling);
}

}  // namespace vernal::stdin_repl
