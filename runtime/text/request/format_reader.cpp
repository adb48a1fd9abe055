#include "text/request/format_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "text/exact_json.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

namespace json = boost::json;
using grammar::GrammarSource;

constexpr std::size_t kAnyBytes = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMaxTypeBytes = 64;
constexpr std::size_t kMaxTexts = 4096;

/// A type of format, the key that says more, and how that becomes a grammar.
struct FormatType {
  std::string_view name;
  std::string_view key;  // empty: the type says all
  void (*read)(const json::value& value, const std::string& path, GrammarSource& out);
};

void read_object(const json::value&, const std::string&, GrammarSource& out) {
  out.text = R"({"type": "object"})";
}

void read_schema(const json::value& value, const std::string& path, GrammarSource& out) {
  if (!value.is_object() && !value.is_bool()) {
    throw invalid_value(path,
                        fmt::format("Invalid value for '{}': expected a JSON Schema, which is "
                                    "an object, true or false; found {}.",
                                    path, describe(value)));
  }
  out.text = exact_json_text(value);
}

void read_pattern(const json::value& value, const std::string& path, GrammarSource& out) {
  out.kind = GrammarSource::Kind::kRegex;
  out.text = read_string(value, path, kAnyBytes);
}

void read_gbnf(const json::value& value, const std::string& path, GrammarSource& out) {
  out.kind = GrammarSource::Kind::kGbnf;
  out.text = read_string(value, path, kAnyBytes);
}

void read_choices(const json::value& value, const std::string& path, GrammarSource& out) {
  out.kind = GrammarSource::Kind::kChoices;
  const json::array* const choices = value.if_array();
  if (choices == nullptr || choices->empty() || choices->size() > kMaxTexts) {
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': expected 1 to {} texts.", path, kMaxTexts));
  }
  for (std::size_t i = 0; i < choices->size(); ++i) {
    out.choices.push_back(read_string((*choices)[i], fmt::format("{}[{}]", path, i), kAnyBytes));
  }
}

constexpr std::array<FormatType, 5> kTypes = {{
    {"json", "", read_object},
    {"json_schema", "schema", read_schema},
    {"regex", "pattern", read_pattern},
    {"gbnf", "grammar", read_gbnf},
    {"choices", "choices", read_choices},
}};

[[noreturn]] void refuse_type(std::string_view type) {
  throw invalid_value(
      "format.type",
      fmt::format("Invalid value for 'format.type': expected text, json, json_schema, regex, gbnf "
                  "or choices; found \"{}\".",
                  type));
}

}  // namespace

std::optional<GrammarSource> read_format(ObjectReader& reader) {
  const json::value* const value = reader.find("format");
  if (value == nullptr) return std::nullopt;
  ObjectReader format(*value, "format");
  const std::string type = read_string(format.require("type"), "format.type", kMaxTypeBytes);
  GrammarSource source;
  source.options.strict = format.find_bool("strict").value_or(false);
  if (type == "text") {
    format.refuse_unknown_keys();
    return std::nullopt;
  }
  for (const FormatType& known : kTypes) {
    if (known.name != type) continue;
    const json::value none;
    const json::value& more = known.key.empty() ? none : format.require(known.key);
    format.refuse_unknown_keys();
    known.read(more, format.path_of(known.key), source);
    return source;
  }
  refuse_type(type);
}

}  // namespace vernal
