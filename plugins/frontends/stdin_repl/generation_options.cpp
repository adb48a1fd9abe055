#include "stdin_repl/generation_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "stdin_repl/nearest_name.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

namespace json = boost::json;

enum class Kind { kNumber, kInteger, kWord };

// An option of a request document. Which values it may have is the core's to say: what it refuses
// comes as the answer to the next prompt, and names the option, the bounds and the value.
struct Option {
  std::string_view name;
  Kind kind;
  bool is_sampling;  // a member of `sampling`, else of the document itself
};

constexpr std::array kOptions = {
    Option{"temperature", Kind::kNumber, true},
    Option{"top_k", Kind::kInteger, true},
    Option{"top_p", Kind::kNumber, true},
    Option{"min_p", Kind::kNumber, true},
    Option{"repetition_penalty", Kind::kNumber, true},
    Option{"presence_penalty", Kind::kNumber, true},
    Option{"frequency_penalty", Kind::kNumber, true},
    Option{"seed", Kind::kInteger, false},
    Option{"max_tokens", Kind::kInteger, false},
    Option{"thinking", Kind::kWord, false},
};

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

template <class Number>
bool parse(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// Null if `text` is no value of the option's kind.
json::value read_value(const Option& option, std::string_view text) {
  if (option.kind == Kind::kWord) return json::value(json::string(text));
  if (option.kind == Kind::kInteger) {
    std::int64_t integer = 0;
    return parse(text, integer) ? json::value(integer) : json::value();
  }
  double number = 0;
  return parse(text, number) && std::isfinite(number) ? json::value(number) : json::value();
}

}  // namespace

std::vector<std::string_view> GenerationOptions::names() {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) names.push_back(option.name);
  return names;
}

std::string_view GenerationOptions::expectation(std::string_view name) {
  switch (find(name).kind) {
    case Kind::kNumber:
      return "a number";
    case Kind::kInteger:
      return "a whole number";
    case Kind::kWord:
      return "a word";
  }
  return "a word";
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
