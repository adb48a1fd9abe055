#include "config/plugin_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "config/suggestion.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using Entry = PluginSettings::Entry;

Bounds bounds_of(const SchemaRow& row) {
  return row.has_bounds() ? Bounds{row.minimum, row.maximum} : Bounds{};
}

/// Checks the bounds of a size or duration, in bytes or milliseconds.
void check_bounds(TableReader& reader, std::string_view key, const SchemaRow& row,
                  std::uint64_t value) {
  const auto number = static_cast<double>(value);
  if (!row.has_bounds() || (number >= row.minimum && number <= row.maximum)) return;
  reader.problem(
      key, fmt::format("\"{}\": expected between {} and {} {}, found {}", reader.full_name(key),
                       row.minimum, row.maximum,
                       row.type == VERNAL_CONFIG_SIZE ? "bytes" : "milliseconds", number));
}

/// Reads the key of one row. Nothing: the key is absent.
std::optional<SettingValue> read_value(TableReader& reader, std::string_view key,
                                       const SchemaRow& row) {
  const bool present = reader.has(key);
  SettingValue value;
  switch (row.type) {
    case VERNAL_CONFIG_BOOL:
      reader.read(key, value.emplace<bool>(false));
      break;
    case VERNAL_CONFIG_INT:
      reader.read(key, value.emplace<std::int64_t>(0), bounds_of(row));
      break;
    case VERNAL_CONFIG_FLOAT:
      reader.read(key, value.emplace<double>(0), bounds_of(row));
      break;
    case VERNAL_CONFIG_STRING:
      reader.read(key, value.emplace<std::string>());
      break;
    case VERNAL_CONFIG_ENUM:
      reader.read_choice(key, value.emplace<std::string>(), row.choices);
      break;
    case VERNAL_CONFIG_PATH: {
      std::filesystem::path path;
      reader.read_path(key, path);
      value = path.string();
      break;
    }
    case VERNAL_CONFIG_SIZE:
    case VERNAL_CONFIG_DURATION: {
      std::uint64_t amount = 0;
      const std::size_t before = reader.problems().size();
      if (row.type == VERNAL_CONFIG_SIZE) {
        reader.read_size(key, amount);
      } else {
        reader.read_duration_ms(key, amount);
      }
      if (present && reader.problems().size() == before) check_bounds(reader, key, row, amount);
      value = static_cast<std::int64_t>(amount);
      break;
    }
    case VERNAL_CONFIG_STRING_LIST:
      reader.read(key, value.emplace<std::vector<std::string>>());
      break;
    case VERNAL_CONFIG_INT_LIST:
      reader.read(key, value.emplace<std::vector<std::int64_t>>(), bounds_of(row));
      break;
    default:
      reader.expect(key);
      return std::nullopt;
  }
  return present ? std::optional(std::move(value)) : std::nullopt;
}

/// The default of a row, read as if `file` said it. Relative paths start in the folder of `file`.
std::optional<SettingValue> default_value(const SchemaRow& row, const std::string& file) {
  if (row.default_value.empty()) return std::nullopt;
  Problems problems;
  toml::table table;
  try {
    table = toml::parse("value = " + row.default_value);
  } catch (const toml::parse_error&) {
    throw Error(VERNAL_INCOMPATIBLE,
                fmt::format("the plugin's own default for \"{}\" is not TOML: {}", row.path,
                            row.default_value));
  }
  TableReader reader("", table, std::make_shared<std::string>(file), problems);
  auto value = read_value(reader, "value", row);
  if (!problems.empty()) {
    throw Error(VERNAL_INCOMPATIBLE,
                fmt::format("the plugin's own default for \"{}\" breaks its schema: {}", row.path,
                            row.default_value));
  }
  return value;
}

void check_model_names(TableReader& reader, std::string_view key, const SettingValue& value,
                       const std::vector<std::string>& model_names) {
  const Problems& problems = reader.problems();
  std::vector<std::string> used;
  if (const auto* one = std::get_if<std::string>(&value)) used.push_back(*one);
  if (const auto* many = std::get_if<std::vector<std::string>>(&value)) used = *many;
  const std::vector<std::string_view> known(model_names.begin(), model_names.end());
  for (const std::string& name : used) {
    if (problems.is_full()) return;
    if (std::ranges::find(model_names, name) != model_names.end()) continue;
    reader.problem(
        key, fmt::format("\"{}\": no model or profile is called \"{}\"{}", reader.full_name(key),
                         printable(name), did_you_mean(name, known)));
  }
}

/// The plugin's table, or a table nested in it.
struct Level {
  std::string prefix;  // what the paths of its rows begin with: "tls.", or nothing
  std::unique_ptr<TableReader> nested;
  TableReader* reader;     // `nested`, or the reader of the plugin's own table
  bool is_present = true;  // an absent table needs none of its required keys
};

/// The level of a path: the one whose prefix is the longest that the path begins with.
const Level& level_of(const std::vector<Level>& levels, std::string_view path) {
  const Level* found = &levels.front();
  for (const Level& level : levels) {
    if (path.starts_with(level.prefix) && level.prefix.size() > found->prefix.size())
      found = &level;
  }
  return *found;
}

/// Makes the level of a row of type TABLE, which is nested in `parent`.
Level open_level(const Level& parent, const SchemaRow& row, const toml::table& empty) {
  TableReader& reader = *parent.reader;
  const std::string key = row.path.substr(parent.prefix.size());
  const toml::table* table = reader.table(key);
  const bool is_required = (row.flags & VERNAL_CONFIG_REQUIRED) != 0 && parent.is_present;
  if (is_required && !reader.has(key)) {
    reader.problem(key, fmt::format("\"{}\" is missing: {}", reader.full_name(key), row.help));
  }
  Level level{row.path + ".", nullptr, nullptr, table != nullptr};
  level.nested = std::make_unique<TableReader>(
      reader.full_name(key), table != nullptr ? *table : empty,
      std::make_shared<const std::string>(reader.place().file), reader.problems());
  level.reader = level.nested.get();
  return level;
}

void read_row(const Level& level, const SchemaRow& row, const std::vector<std::string>& model_names,
              PluginInstance& instance) {
  TableReader& reader = *level.reader;
  const std::string key = row.path.substr(level.prefix.size());
  if ((row.flags & VERNAL_CONFIG_SECRET) != 0) reader.hide(key);
  auto value = read_value(reader, key, row);
  const bool present = value.has_value();
  if (present && !row.deprecated_by.empty()) {
    reader.problem(key, fmt::format("\"{}\" is no longer used; write \"{}\"", reader.full_name(key),
                                    row.deprecated_by));
  }
  if (!present && level.is_present && (row.flags & VERNAL_CONFIG_REQUIRED) != 0) {
    reader.problem(key, fmt::format("\"{}\" is missing: {}", reader.full_name(key), row.help));
    return;
  }
  if (!present) value = default_value(row, reader.place().file);
  if (!value) return;
  if (present && (row.flags & VERNAL_CONFIG_MODEL_NAMES) != 0) {
    check_model_names(reader, key, *value, model_names);
  }
  instance.settings.entries[row.path] =
      Entry{row.type, std::move(*value), reader.place(key).text()};
}

}  // namespace

void read_plugin_table(TableReader& reader, const std::vector<SchemaRow>& rows,
                       const std::vector<std::string>& model_names, PluginInstance& instance) {
  instance.settings.table = reader.full_name("");
  instance.settings.table.pop_back();  // the dot before the empty key
  instance.settings.origin = reader.place().text();
  const toml::table empty;
  std::vector<Level> levels;
  levels.push_back({"", nullptr, &reader});
  for (const SchemaRow& row : rows) {
    if (row.type != VERNAL_CONFIG_TABLE) continue;
    levels.push_back(open_level(level_of(levels, row.path), row, empty));
  }
  for (const SchemaRow& row : rows) {
    if (row.type != VERNAL_CONFIG_TABLE) {
      read_row(level_of(levels, row.path), row, model_names, instance);
    }
  }
  for (const Level& level : levels) level.reader->finish();
}

}  // namespace vernal
