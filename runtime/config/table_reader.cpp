#include "config/table_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "config/suggestion.hpp"
#include "config/units.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {

namespace {

constexpr std::uint64_t kLongestQuote = 60;  // bytes of a value that a message repeats

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

std::string describe(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return fmt::format("string \"{}\"", printable(text->get(), kLongestQuote));
  }
  if (const auto* number = node.as_integer()) return fmt::format("integer {}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("float {}", number->get());
  if (const auto* value = node.as_boolean()) return value->get() ? "boolean true" : "boolean false";
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  return "a date or time";
}

TableReader::TableReader(std::string name, const toml::table& table,
                         std::shared_ptr<const std::string> file, Problems& problems)
    : name_(std::move(name)), table_(table), file_(std::move(file)), problems_(problems) {}

SourcePlace TableReader::place_of(const toml::source_region& region) const {
  return {*file_, region.begin.line, region.begin.column};
}

SourcePlace TableReader::place() const { return place_of(table_.source()); }

SourcePlace TableReader::place(std::string_view key) const {
  const toml::node* found = table_.get(key);
  return found != nullptr ? place_of(found->source()) : place();
}

std::string TableReader::full_name(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

void TableReader::problem(std::string_view key, std::string what) {
  problems_.add(place(key), std::move(what));
}

void TableReader::require(std::string_view key, std::string_view expected) {
  if (!has(key)) problem(key, fmt::format("[{}] needs \"{}\": {}", name_, key, expected));
}

const toml::node* TableReader::node(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::wrong_type(std::string_view key, std::string_view expected,
                             const toml::node& found) {
  problem(key, fmt::format("\"{}\": expected {}, found {}", full_name(key), expected,
                           is_hidden(key) ? "something else" : describe(found)));
}

bool TableReader::is_hidden(std::string_view key) const {
  return std::ranges::find(hidden_, key) != hidden_.end();
}

std::string TableReader::quoted(std::string_view key, std::string_view value) const {
  return is_hidden(key) ? "something else" : fmt::format("\"{}\"", printable(value, kLongestQuote));
}

bool TableReader::within(std::string_view key, double value, Bounds bounds) {
  if (value >= bounds.minimum && value <= bounds.maximum) return true;
  std::string expected;
  if (bounds.minimum == bounds.maximum) {
    expected = fmt::format("{}", bounds.minimum);
  } else if (std::isinf(bounds.maximum)) {
    expected = fmt::format("at least {}", bounds.minimum);
  } else {
    expected = fmt::format("between {} and {}", bounds.minimum, bounds.maximum);
  }
  problem(key, fmt::format("\"{}\": expected {}, found {}", full_name(key), expected,
                           is_hidden(key) ? "something else" : fmt::format("{}", value)));
  return false;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, Bounds bounds) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto* value = found->as_integer();
  if (value == nullptr) {
    wrong_type(key, "an integer", *found);
    return std::nullopt;
  }
  if (!within(key, static_cast<double>(value->get()), bounds)) return std::nullopt;
  return value->get();
}

void TableReader::read(std::string_view key, bool& out) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  if (const auto* value = found->as_boolean()) {
    out = value->get();
  } else {
    wrong_type(key, "true or false", *found);
  }
}

void TableReader::read(std::string_view key, std::string& out) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const auto* value = found->as_string();
  if (value == nullptr) {
    wrong_type(key, "a string", *found);
  } else if (has_nul(value->get())) {
    problem(key, fmt::format("\"{}\": expected text without NUL characters", full_name(key)));
  } else {
    out = value->get();
  }
}

void TableReader::read(std::string_view key, std::int64_t& out, Bounds bounds) {
  if (const auto value = integer(key, bounds)) out = *value;
}

void TableReader::read(std::string_view key, std::uint64_t& out, Bounds bounds) {
  bounds.minimum = std::max(bounds.minimum, 0.0);
  if (const auto value = integer(key, bounds)) out = static_cast<std::uint64_t>(*value);
}

void TableReader::read(std::string_view key, std::optional<std::int64_t>& out, Bounds bounds) {
  if (const auto value = integer(key, bounds)) out = value;
}

void TableReader::read(std::string_view key, double& out, Bounds bounds) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const std::optional<double> value = found->value<double>();
  if (!found->is_number() || !value || !std::isfinite(*value)) {
    wrong_type(key, "a finite number", *found);
  } else if (within(key, *value, bounds)) {
    out = *value;
  }
}

void TableReader::read(std::string_view key, std::optional<double>& out, Bounds bounds) {
  if (!has(key)) {
    known_.emplace_back(key);
    return;
  }
  double value = std::numeric_limits<double>::quiet_NaN();
  read(key, value, bounds);
  if (!std::isnan(value)) out = value;
}

void TableReader::read(std::string_view key, std::vector<std::string>& out) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const toml::array* array = found->as_array();
  if (array == nullptr) return wrong_type(key, "an array of strings", *found);
  std::vector<std::string> values;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return wrong_type(key, "an array of strings", element);
    if (has_nul(text->get())) {
      return problem(key,
                     fmt::format("\"{}\": expected text without NUL characters", full_name(key)));
    }
    values.push_back(text->get());
  }
  out = std::move(values);
}

void TableReader::read(std::string_view key, std::vector<std::int64_t>& out, Bounds bounds) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const toml::array* array = found->as_array();
  if (array == nullptr) return wrong_type(key, "an array of integers", *found);
  std::vector<std::int64_t> values;
  for (const toml::node& element : *array) {
    const auto* number = element.as_integer();
    if (number == nullptr) return wrong_type(key, "an array of integers", element);
    if (!within(key, static_cast<double>(number->get()), bounds)) return;
    values.push_back(number->get());
  }
  out = std::move(values);
}

void TableReader::read_choice(std::string_view key, std::string& out,
                              std::initializer_list<std::string_view> choices) {
  read_choice(key, out, std::vector<std::string>(choices.begin(), choices.end()));
}

void TableReader::read_choice(std::string_view key, std::string& out,
                              const std::vector<std::string>& choices) {
  std::string value;
  const std::size_t before = problems_.size();
  read(key, value);
  if (!has(key) || problems_.size() != before) return;
  if (std::ranges::find(choices, value) != choices.end()) {
    out = value;
    return;
  }
  const std::vector<std::string_view> names(choices.begin(), choices.end());
  problem(key, fmt::format("\"{}\": expected one of \"{}\", found {}{}", full_name(key),
                           fmt::join(choices, "\", \""), quoted(key, value),
                           is_hidden(key) ? "" : did_you_mean(value, names)));
}

void TableReader::read_size(std::string_view key, std::uint64_t& out) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const auto* text = found->as_string();
  if (text == nullptr) return wrong_type(key, "a size with its unit, such as \"4GiB\"", *found);
  try {
    out = parse_size(text->get());
  } catch (const Error& error) {
    problem(key, fmt::format("\"{}\": {}", full_name(key), error.what()));
  }
}

void TableReader::read_duration_ms(std::string_view key, std::uint64_t& out) {
  const toml::node* found = node(key);
  if (found == nullptr) return;
  const auto* text = found->as_string();
  if (text == nullptr) return wrong_type(key, "a duration with its unit, such as \"30s\"", *found);
  try {
    out = parse_duration_ms(text->get());
  } catch (const Error& error) {
    problem(key, fmt::format("\"{}\": {}", full_name(key), error.what()));
  }
}

void TableReader::read_path(std::string_view key, std::filesystem::path& out) {
  std::string text;
  const std::size_t before = problems_.size();
  read(key, text);
  if (!has(key) || problems_.size() != before) return;
  if (text.empty())
    return problem(key, fmt::format("\"{}\": expected a path, found \"\"", full_name(key)));
  const std::filesystem::path folder = std::filesystem::absolute(*file_).parent_path();
  out = (folder / text).lexically_normal();
}

void TableReader::read_paths(std::string_view key, std::vector<std::filesystem::path>& out) {
  std::vector<std::string> texts;
  read(key, texts);
  const std::filesystem::path folder = std::filesystem::absolute(*file_).parent_path();
  for (const std::string& text : texts) out.push_back((folder / text).lexically_normal());
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return nullptr;
  if (!found->is_table()) wrong_type(key, "a table", *found);
  return found->as_table();
}

std::vector<const toml::table*> TableReader::tables(std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* found = node(key);
  if (found == nullptr) return out;
  const toml::array* array = found->as_array();
  if (array == nullptr) {
    wrong_type(key, "an array of tables", *found);
    return out;
  }
  for (const toml::node& element : *array) {
    if (element.is_table()) {
      out.push_back(element.as_table());
    } else {
      wrong_type(key, "an array of tables", element);
    }
  }
  return out;
}

void TableReader::finish() {
  const std::vector<std::string_view> names(known_.begin(), known_.end());
  for (const auto& [key, value] : table_) {
    if (std::ranges::find(names, key.str()) != names.end()) continue;
    std::string what;
    if (!problems_.is_full()) {
      what = fmt::format("unknown key \"{}\"{}", full_name(printable(key.str(), kLongestQuote)),
                         did_you_mean(key.str(), names));
    }
    problems_.add(place_of(key.source()), std::move(what));
  }
}

}  // namespace vernal
