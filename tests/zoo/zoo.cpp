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

// ---- faults that lie between frontend and host: what it asks of the engine

vernal_host_api changed_host_api;
vernal_engine_api true_engine_api;
vernal_engine_api changed_engine_api;
void (*change_of_engine)(vernal_engine_api&) = nullptr;

/// Requests are never released.
void never_releases(vernal_engine_api& api) {
  api.release = [](vernal_engine*, vernal_request_id) -> std::int32_t { return VERNAL_OK; };
}

/// A refused request is taken for one.
void ignores_busy(vernal_engine_api& api) {
  api.submit = [](vernal_engine* engine, const vernal_submit_args* args, vernal_request_id* out) {
    const std::int32_t status = true_engine_api.submit(engine, args, out);
    if (status == VERNAL_QUEUE_FULL) *out = 77;
    return status == VERNAL_QUEUE_FULL ? VERNAL_OK : status;
  };
}

std::int32_t get_changed_service(vernal_host* of, vernal_str id, const void** table,
                                 void** object) {
  const std::int32_t status = host_api->get_service(of, id, table, object);
  if (status != VERNAL_OK || std::string_view(id.data, id.size) != VERNAL_SERVICE_ENGINE) {
    return status;
  }
  std::memcpy(&true_engine_api, *table, sizeof(true_engine_api));
  changed_engine_api = true_engine_api;
  change_of_engine(changed_engine_api);
  *table = &changed_engine_api;
  return VERNAL_OK;
}

void apply(std::string_view name) {
  for (const auto* faults : {&call_faults(), &size_faults(), &process_faults(), &number_faults(),
                             &attribute_faults(), &rope_faults(), &shape_faults(), &state_faults(),
                             &room_faults(), &window_faults(), &step_faults(), &other_faults()}) {
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

std::int32_t enter(vernal_entry_args* args) {
  const std::string fault = fault_name();
  vernal_entry_args mine = *args;
  if (fault == "refuses_newer_host" && args->host_minor > 0) return VERNAL_INCOMPATIBLE;
  if (fault == "never_releases") change_of_engine = never_releases;
  if (fault == "ignores_busy") change_of_engine = ignores_busy;
  if (change_of_engine != nullptr) {
    host_api = args->host_api;
    changed_host_api = *args->host_api;
    changed_host_api.get_service = get_changed_service;
    mine.host_api = &changed_host_api;
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
