// The definition of a plugin: its kinds, schemas and entry. One source file of a plugin says
//
//   VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.backend = &kTable, .backend_rows = kRows});
#pragma once

#include <cstdint>
#include <span>

#include "vernal/config.hpp"
#include "vernal/detail/extension.hpp"
#include "vernal/host.hpp"

namespace vernal {

/// What a plugin consists of. Tables and rows are static variables of the plugin.
struct PluginDefinition {
  const vernal_backend_api* backend = nullptr;
  const vernal_architecture_api* architecture = nullptr;
  const vernal_frontend_api* frontend = nullptr;
  std::span<const vernal_config_row> backend_rows = {};
  std::span<const vernal_config_row> frontend_rows = {};
  void (*init)() = nullptr;  // may throw vernal::Error
  void (*shutdown)() = nullptr;
  /// Extensions of the plugin as a whole. Those of one kind belong to its class: see `extension` in
  /// frontend_plugin.hpp, backend_plugin.hpp and architecture_plugin.hpp.
  ExtensionFinder extension = nullptr;
};

namespace detail {

inline std::int32_t kind_table(const PluginDefinition& definition, std::uint32_t kind,
                               const void** out) noexcept {
  *out = nullptr;
  if (kind == VERNAL_KIND_BACKEND) *out = definition.backend;
  if (kind == VERNAL_KIND_ARCHITECTURE) *out = definition.architecture;
  if (kind == VERNAL_KIND_FRONTEND) *out = definition.frontend;
  return *out != nullptr ? VERNAL_OK : VERNAL_NOT_FOUND;
}

inline std::int32_t schema(const PluginDefinition& definition, std::uint32_t kind,
                           const vernal_config_row** rows, std::uint64_t* count,
                           std::uint64_t* stride) noexcept {
  std::span<const vernal_config_row> chosen;
  if (kind == VERNAL_KIND_BACKEND) chosen = definition.backend_rows;
  if (kind == VERNAL_KIND_FRONTEND) chosen = definition.frontend_rows;
  *rows = chosen.data();
  *count = chosen.size();
  *stride = sizeof(vernal_config_row);
  return VERNAL_OK;
}

}  // namespace detail
}  // namespace vernal

/// Defines the entry symbol and the plugin's tables. Takes an expression of type PluginDefinition.
#define VERNAL_DEFINE_PLUGIN(...)                                                          \
  namespace {                                                                              \
  constinit vernal::Host* vernal_host_of_plugin = nullptr;                                 \
  const vernal::PluginDefinition& vernal_definition() {                                    \
    static const vernal::PluginDefinition definition = __VA_ARGS__;                        \
    return definition;                                                                     \
  }                                                                                        \
  std::int32_t vernal_init() noexcept {                                                    \
    return vernal::guard([] {                                                              \
      if (vernal_definition().init) vernal_definition().init();                            \
    });                                                                                    \
  }                                                                                        \
  std::int32_t vernal_shutdown() noexcept {                                                \
    return vernal::guard([] {                                                              \
      if (vernal_definition().shutdown) vernal_definition().shutdown();                    \
    });                                                                                    \
  }                                                                                        \
  std::int32_t vernal_schema(std::uint32_t kind, const vernal_config_row** rows,           \
                             std::uint64_t* count, std::uint64_t* stride) noexcept {       \
    return vernal::detail::schema(vernal_definition(), kind, rows, count, stride);         \
  }                                                                                        \
  std::int32_t vernal_kind(std::uint32_t kind, const void** table) noexcept {              \
    return vernal::detail::kind_table(vernal_definition(), kind, table);                   \
  }                                                                                        \
  std::int32_t vernal_extension(vernal_str id, const void** table) noexcept {              \
    return vernal::detail::answer_extension(vernal_definition().extension, id, table);     \
  }                                                                                        \
  constexpr vernal_plugin_api kVernalPluginApi = {                                         \
      sizeof(vernal_plugin_api), vernal_init, vernal_shutdown, vernal_schema, vernal_kind, \
      vernal_extension};                                                                   \
  }                                                                                        \
  vernal::Host& vernal::plugin_host() noexcept {                                           \
    static vernal::Host unset;                                                             \
    return vernal_host_of_plugin ? *vernal_host_of_plugin : unset;                         \
  }                                                                                        \
  extern "C" __attribute__((visibility("default"))) std::int32_t vernal_plugin_entry_v1(   \
      vernal_entry_args* args) {                                                           \
    static vernal::Host host;                                                              \
    try {                                                                                  \
      host = vernal::Host(args->host, args->host_api);                                     \
    } catch (...) {                                                                        \
      return VERNAL_INCOMPATIBLE;                                                          \
    }                                                                                      \
    vernal_host_of_plugin = &host;                                                         \
    args->plugin = &kVernalPluginApi;                                                      \
    return VERNAL_OK;                                                                      \
  }                                                                                        \
  static_assert(true, "a semicolon follows")
