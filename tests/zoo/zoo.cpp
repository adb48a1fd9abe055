#include "zoo.hpp"

#include <cstring>

extern "C" std::int32_t zoo_base_entry(vernal_entry_args* args);

namespace zoo {
namespace {

const vernal_host_api* host_api = nullptr;
vernal_host* host = nullptr;
Tables sound_tables;
Tables shown_tables;

std::int32_t get_kind(std::uint32_t kind, const void** out) {
  *out = nullptr;
  const void* base = nullptr;
  const std::int32_t status = sound_tables.plugin.get_kind(kind, &base);
  if (status != VERNAL_OK) return status;
  if (kind == VERNAL_KIND_BACKEND) *out = &shown_tables.backend;
  if (kind == VERNAL_KIND_ARCHITECTURE) *out = &shown_tables.architecture;
  if (kind == VERNAL_KIND_FRONTEND) *out = &shown_tables.frontend;
  return VERNAL_OK;
}

template <class Table>
void copy_kind(std::uint32_t kind, Table& out) {
  const void* table = nullptr;
  if (sound_tables.plugin.get_kind(kind, &table) != VERNAL_OK) return;
  std::memcpy(&out, table, sizeof(out));
}

// ---- a fault that lies between frontend and host: requests are never released

vernal_host_api deaf_host_api;
vernal_engine_api deaf_engine_api;

std::int32_t get_deaf_service(vernal_host* of, vernal_str id, const void** table, void** object) {
  const std::int32_t status = host_api->get_service(of, id, table, object);
  if (status != VERNAL_OK || std::string_view(id.data, id.size) != VERNAL_SERVICE_ENGINE) {
    return status;
  }
  std::memcpy(&deaf_engine_api, *table, sizeof(deaf_engine_api));
  deaf_engine_api.release = [](vernal_engine*, vernal_request_id) -> std::int32_t {
    return VERNAL_OK;
  };
  *table = &deaf_engine_api;
  return VERNAL_OK;
}

void apply(std::string_view name) {
  for (const auto* faults : {&call_faults(), &size_faults(), &process_faults(), &number_faults(),
                             &state_faults(), &window_faults(), &other_faults()}) {
    const auto found = faults->find(name);
    if (found != faults->end()) found->second(shown_tables);
  }
}

}  // namespace

Tables& shown() { return shown_tables; }
const Tables& sound() { return sound_tables; }

const vernal_host_api* host_table() { return host_api; }

const void* service_table(std::string_view id) {
  const void* table = nullptr;
  void* object = nullptr;
  host_api->get_service(host, {id.data(), id.size()}, &table, &object);
  return table;
}

std::int32_t fail(std::int32_t status, std::string_view text) {
  host_api->set_error(host, status, {text.data(), text.size()});
  return status;
}

std::int32_t enter(vernal_entry_args* args, std::string_view fault) {
  vernal_entry_args mine = *args;
  if (fault == "never_releases") {
    host_api = args->host_api;
    deaf_host_api = *args->host_api;
    deaf_host_api.get_service = get_deaf_service;
    mine.host_api = &deaf_host_api;
  }
  const std::int32_t status = zoo_base_entry(&mine);
  if (status != VERNAL_OK) {
    if (fault != "accepts_broken_host") return status;
    args->plugin = &shown_tables.plugin;
    return VERNAL_OK;
  }
  host_api = args->host_api;
  host = args->host;
  sound_tables.plugin = *mine.plugin;
  copy_kind(VERNAL_KIND_BACKEND, sound_tables.backend);
  copy_kind(VERNAL_KIND_ARCHITECTURE, sound_tables.architecture);
  copy_kind(VERNAL_KIND_FRONTEND, sound_tables.frontend);
  shown_tables = sound_tables;
  shown_tables.plugin.get_kind = get_kind;
  apply(fault);
  args->plugin = &shown_tables.plugin;
  return VERNAL_OK;
}

}  // namespace zoo
