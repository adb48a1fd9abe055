#include "config/plugin_settings.hpp"

#include <fmt/format.h>

#include <string_view>

#include "vernal/tables.hpp"

namespace vernal {
namespace {

using Entry = PluginSettings::Entry;

const PluginSettings& settings_of(const vernal_config* config) {
  return *reinterpret_cast<const PluginSettings*>(config);
}

const Entry* find(const vernal_config* config, vernal_str path) noexcept {
  const PluginSettings& settings = settings_of(config);
  try {
    const auto found = settings.entries.find(std::string(view(path)));
    return found == settings.entries.end() ? nullptr : &found->second;
  } catch (...) {
    return nullptr;
  }
}

/// Finds the value of a key that has one of the types. The status says why there is none.
template <class T>
std::int32_t get(const vernal_config* config, vernal_str path, const T** out) noexcept {
  const Entry* entry = find(config, path);
  if (entry == nullptr) return VERNAL_NOT_FOUND;
  *out = std::get_if<T>(&entry->value);
  return *out != nullptr ? VERNAL_OK : VERNAL_INVALID_ARGUMENT;
}

std::int32_t get_bool(const vernal_config* config, vernal_str path, std::uint32_t* out) noexcept {
  const bool* value = nullptr;
  const std::int32_t status = get(config, path, &value);
  if (status == VERNAL_OK) *out = *value ? 1 : 0;
  return status;
}

std::int32_t get_int(const vernal_config* config, vernal_str path, std::int64_t* out) noexcept {
  const std::int64_t* value = nullptr;
  const std::int32_t status = get(config, path, &value);
  if (status == VERNAL_OK) *out = *value;
  return status;
}

std::int32_t get_float(const vernal_config* config, vernal_str path, double* out) noexcept {
  const double* value = nullptr;
  const std::int32_t status = get(config, path, &value);
  if (status == VERNAL_OK) *out = *value;
  return status;
}

std::int32_t get_string(const vernal_config* config, vernal_str path, vernal_str* out) noexcept {
  const std::string* value = nullptr;
  const std::int32_t status = get(config, path, &value);
  if (status == VERNAL_OK) *out = to_str(*value);
  return status;
}

std::int32_t get_unsigned(const vernal_config* config, vernal_str path, std::uint32_t type,
                          std::uint64_t* out) noexcept {
  const Entry* entry = find(config, path);
  if (entry == nullptr) return VERNAL_NOT_FOUND;
  if (entry->type != type) return VERNAL_INVALID_ARGUMENT;
  *out = static_cast<std::uint64_t>(*std::get_if<std::int64_t>(&entry->value));
  return VERNAL_OK;
}

std::int32_t get_size(const vernal_config* config, vernal_str path, std::uint64_t* out) noexcept {
  return get_unsigned(config, path, VERNAL_CONFIG_SIZE, out);
}

std::int32_t get_duration(const vernal_config* config, vernal_str path,
                          std::uint64_t* out) noexcept {
  return get_unsigned(config, path, VERNAL_CONFIG_DURATION, out);
}

std::int32_t list_size(const vernal_config* config, vernal_str path, std::uint64_t* out) noexcept {
  const Entry* entry = find(config, path);
  if (entry == nullptr) return VERNAL_NOT_FOUND;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&entry->value)) {
    *out = texts->size();
    return VERNAL_OK;
  }
  if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&entry->value)) {
    *out = numbers->size();
    return VERNAL_OK;
  }
  return VERNAL_INVALID_ARGUMENT;
}

std::int32_t list_string(const vernal_config* config, vernal_str path, std::uint64_t index,
                         vernal_str* out) noexcept {
  const std::vector<std::string>* list = nullptr;
  const std::int32_t status = get(config, path, &list);
  if (status != VERNAL_OK) return status;
  if (index >= list->size()) return VERNAL_NOT_FOUND;
  *out = to_str((*list)[index]);
  return VERNAL_OK;
}

std::int32_t list_int(const vernal_config* config, vernal_str path, std::uint64_t index,
                      std::int64_t* out) noexcept {
  const std::vector<std::int64_t>* list = nullptr;
  const std::int32_t status = get(config, path, &list);
  if (status != VERNAL_OK) return status;
  if (index >= list->size()) return VERNAL_NOT_FOUND;
  *out = (*list)[index];
  return VERNAL_OK;
}

std::int32_t table_name(const vernal_config* config, vernal_str* out) noexcept {
  *out = to_str(settings_of(config).table);
  return VERNAL_OK;
}

std::int32_t key_origin(const vernal_config* config, vernal_str path, vernal_str* out) noexcept {
  const Entry* entry = find(config, path);
  *out = to_str(entry != nullptr ? entry->origin : settings_of(config).origin);
  return VERNAL_OK;
}

constexpr vernal_config_api kConfigApi = {sizeof(vernal_config_api),
                                          get_bool,
                                          get_int,
                                          get_float,
                                          get_string,
                                          get_size,
                                          get_duration,
                                          list_size,
                                          list_string,
                                          list_int,
                                          table_name,
                                          key_origin};

}  // namespace

std::vector<SchemaRow> read_schema(const vernal_config_row* rows, std::uint64_t count,
                                   std::uint64_t stride) {
  std::vector<SchemaRow> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    const vernal_config_row row = element_at(rows, stride, i);
    SchemaRow copy;
    copy.path = view(row.path);
    copy.default_value = view(row.default_value);
    copy.deprecated_by = view(row.deprecated_by);
    copy.help = view(row.help);
    copy.minimum = row.minimum;
    copy.maximum = row.maximum;
    copy.type = row.type;
    copy.flags = row.flags;
    std::string_view rest = view(row.choices);
    while (!rest.empty()) {
      const std::size_t bar = rest.find('|');
      copy.choices.emplace_back(rest.substr(0, bar));
      rest = bar == rest.npos ? std::string_view{} : rest.substr(bar + 1);
    }
    out.push_back(std::move(copy));
  }
  return out;
}

vernal_config_view config_view(const PluginSettings& settings) {
  return {&kConfigApi, reinterpret_cast<const vernal_config*>(&settings)};
}

}  // namespace vernal
