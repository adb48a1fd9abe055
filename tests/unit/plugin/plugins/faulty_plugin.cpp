// A frontend plugin written against the bare C headers, with one fault chosen by
// VERNAL_FAULT_<name>.
#include <cstdint>

#include "vernal/abi/frontend.h"
#include "vernal/abi/plugin.h"

namespace {

#ifdef VERNAL_FAULT_unresolved
}  // namespace
extern "C" int vernal_test_symbol_that_nobody_defines();
namespace {
#endif

vernal_host* host = nullptr;
const vernal_host_api* host_api = nullptr;

[[maybe_unused]] std::int32_t fail(const char* text, std::uint64_t size) {
  host_api->set_error(host, VERNAL_UNAVAILABLE, {text, size});
  return VERNAL_UNAVAILABLE;
}

std::int32_t init() {
#ifdef VERNAL_FAULT_init_fails
  return fail("no device today", 15);
#else
  return VERNAL_OK;
#endif
}

[[maybe_unused]] std::int32_t shutdown() { return VERNAL_OK; }

std::int32_t config_schema(std::uint32_t, const vernal_config_row** rows, std::uint64_t* count,
                           std::uint64_t* stride) {
  *rows = nullptr;
  *count = 0;
  *stride = sizeof(vernal_config_row);
#ifdef VERNAL_FAULT_schema_null
  *count = 3;
#endif
#ifdef VERNAL_FAULT_schema_stride
  static const vernal_config_row row{};
  *rows = &row;
  *count = 1;
  *stride = 4;
#endif
  return VERNAL_OK;
}

std::int32_t get_extension(vernal_str, const void** table) {
  *table = nullptr;
  return VERNAL_NOT_FOUND;
}

std::int32_t create(vernal_config_view, vernal_frontend** out) {
  *out = nullptr;
  return VERNAL_OK;
}
std::int32_t without_argument(vernal_frontend*) { return VERNAL_OK; }
std::int32_t begin_drain(vernal_frontend*, std::uint64_t) { return VERNAL_OK; }
[[maybe_unused]] std::int32_t active(vernal_frontend*, std::uint64_t* count) {
  *count = 0;
  return VERNAL_OK;
}
void destroy(vernal_frontend*) {}
std::int32_t info(vernal_frontend*, const vernal_sink*) { return VERNAL_OK; }

constexpr vernal_frontend_api kFrontend = {
#ifdef VERNAL_FAULT_kind_size_zero
    .struct_size = 0,
#else
    .struct_size = sizeof(vernal_frontend_api),
#endif
    .create = create,
    .start = without_argument,
    .begin_drain = begin_drain,
#ifdef VERNAL_FAULT_kind_null_function
    .active = nullptr,
#else
    .active = active,
#endif
    .stop = without_argument,
    .destroy = destroy,
    .info = info,
    .get_extension = get_extension,
    .check = nullptr,  // what a later minor brought may be missing
};

std::int32_t get_kind([[maybe_unused]] std::uint32_t kind, const void** table) {
  *table = &kFrontend;
#ifdef VERNAL_FAULT_kind_null
  *table = nullptr;
#endif
#ifdef VERNAL_FAULT_kind_not_found
  return VERNAL_NOT_FOUND;
#else
  return kind == VERNAL_KIND_FRONTEND ? VERNAL_OK : VERNAL_NOT_FOUND;
#endif
}

// A table of a later minor. At its end are functions that this host does not know.
struct NewerPlugin {
  vernal_plugin_api known;
  std::int32_t (*later[2])();
};

constexpr std::uint64_t kTableSize =
#if defined(VERNAL_FAULT_plugin_size_zero)
    0;
#elif defined(VERNAL_FAULT_plugin_size_short)
    sizeof(vernal_plugin_api) - sizeof(void*);
#elif defined(VERNAL_FAULT_plugin_size_odd)
    sizeof(vernal_plugin_api) + 1;
#elif defined(VERNAL_FAULT_plugin_size_largest)
    UINT64_MAX;
#elif defined(VERNAL_FAULT_plugin_size_newer)
    sizeof(NewerPlugin);
#else
    sizeof(vernal_plugin_api);
#endif

[[maybe_unused]] constexpr NewerPlugin kPlugin = {{.struct_size = kTableSize,
                                                   .init = init,
#ifdef VERNAL_FAULT_plugin_null_function
                                                   .shutdown = nullptr,
#else
                                                   .shutdown = shutdown,
#endif
                                                   .config_schema = config_schema,
                                                   .get_kind = get_kind,
                                                   .get_extension = get_extension},
                                                  {nullptr, nullptr}};

}  // namespace

#ifndef VERNAL_FAULT_no_entry
extern "C" __attribute__((visibility("default"))) std::int32_t vernal_plugin_entry_v1(
    vernal_entry_args* args) {
  host = args->host;
  host_api = args->host_api;
  args->plugin = &kPlugin.known;
#ifdef VERNAL_FAULT_plugin_null
  args->plugin = nullptr;
#endif
#ifdef VERNAL_FAULT_entry_fails
  return fail("wrong phase of the moon", 23);
#elif defined(VERNAL_FAULT_unresolved)
  return vernal_test_symbol_that_nobody_defines();
#else
  return VERNAL_OK;
#endif
}
#endif
